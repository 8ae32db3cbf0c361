import type { EventEmitter } from 'node:events';

import type pg from 'pg';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import { translateError } from './error.js';
import { watchingCommit } from './locks/synchronous-wait.js';
import { untilReady } from './until-ready.js';
import { pinQuery, searchPath, type SessionSettings } from './pinned-settings.js';

export interface Notice {
  readonly severity: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

export interface SessionInfo {
  readonly kind: 'server' | 'embedded';
  /** For messages: `database "app" at db:5432` or `embedded database .aisec/pgdata`. */
  readonly label: string;
  readonly databaseName: string;
  readonly pid: number;
  /** As server_version_num: 160004, 170011. */
  readonly serverVersion: number;
  /** The server has loaded Citus, for whichever of its databases. */
  readonly runsCitus?: boolean;
}

export interface QueryResult<Row> {
  readonly rows: readonly Row[];
  readonly rowCount: number;
}

/** A second connection for looking at the first one from outside. */
export interface SideConnection {
  readonly query: <Row extends object>(text: string, values: readonly unknown[]) => Promise<readonly Row[]>;
  readonly close: () => Promise<void>;
}

/** `target` is `"schema"."table" (columns)`, with its identifiers quoted. */
export type CopyIn = (target: string, chunks: Iterable<Buffer>) => Promise<number>;

export interface SessionOptions {
  readonly signal: AbortSignal;
  readonly onNotice?: (notice: Notice) => void;
  /** Stops the statement that runs on the session now; must not throw. */
  readonly cancel: () => Promise<void>;
  /** Undefined where there can be no second connection (embedded). */
  readonly openSide?: () => Promise<SideConnection>;
  /** The settings that the session was opened with. */
  readonly settings: SessionSettings;
  /** Sends chunks of COPY's text format to the table and columns in `target`; returns the rows. */
  readonly copyIn: CopyIn;
  /** Runs after the connection is closed, such as giving back a directory. */
  readonly onClose?: () => Promise<void>;
}

const CLOSE_WITHIN_MS = 2000;

/**
 * One connection to one database, server or embedded. When the signal is aborted the running statement is
 * cancelled on the server, and no further one starts, except for those sent through `cleanUp`.
 */
export class Session {
  readonly info: SessionInfo;
  readonly signal: AbortSignal;
  readonly #client: pg.Client;
  readonly notify: (notice: Notice) => void;
  readonly #onClose: (() => Promise<void>) | undefined;
  readonly #openSide: (() => Promise<SideConnection>) | undefined;
  readonly #copyIn: CopyIn;
  readonly #onAbort: () => void;
  #settings: SessionSettings;
  #pinSql: string;
  #schemaLock: Session['schemaLock'];
  #closing: Promise<void> | undefined;
  #running = 0;
  #completed = 0;
  #hasCommitted = false;
  #lost: unknown;

  constructor(client: pg.Client, info: SessionInfo, options: SessionOptions) {
    this.#client = client;
    this.info = info;
    this.signal = options.signal;
    this.#onClose = options.onClose;
    this.#openSide = options.openSide;
    this.#copyIn = options.copyIn;
    this.#settings = options.settings;
    this.#pinSql = pinQuery(options.settings);
    client.on('error', (error) => {
      this.#lost ??= error;
    });
    // The driver keeps what a failed multi-statement query had completed to itself; its protocol connection has it.
    (client as unknown as { connection: EventEmitter }).connection.on(
      'commandComplete',
      ({ text }: { readonly text?: string }) => {
        this.#completed += 1;
        if (text === 'COMMIT') this.#hasCommitted = true;
      },
    );
    this.notify = (notice) => options.onNotice?.(notice);
    client.on('notice', ({ severity = 'NOTICE', message = '', detail, hint }) =>
      this.notify({ severity, message, detail, hint }),
    );
    this.#onAbort = () => {
      if (this.#running > 0) void options.cancel();
    };
    this.signal.addEventListener('abort', this.#onAbort);
  }

  /** The settings that it was opened with, as texts in the units of pg_settings. */
  get settings(): SessionSettings {
    return this.#settings;
  }

  /** The statement that sets them again. */
  get pinSql(): string {
    return this.#pinSql;
  }

  /** Of a run that works within its schema: the advisory lock of that, beside which the one of the database is shared. */
  get schemaLock(): { readonly name: string; readonly lockKey: string } | undefined {
    return this.#schemaLock;
  }

  /** Makes it the session of one schema, beside those of others. What the server holds is set by the next `startAgain`. */
  belongTo(schema: { readonly name: string; readonly extensionSchema: string; readonly lockKey: string }): void {
    this.#settings = { ...this.#settings, search_path: searchPath(schema.name, schema.extensionSchema) };
    this.#pinSql = pinQuery(this.#settings);
    this.#schemaLock = schema;
  }

  /** Whether a statement is under way. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** True once the connection broke. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** How many statements of the last query text the server completed. */
  get completedStatements(): number {
    return this.#completed;
  }

  /** Whether a COMMIT was among them. */
  get hasCommitted(): boolean {
    return this.#hasCommitted;
  }

  /** True while a transaction is open, also a failed one. */
  get isInTransaction(): boolean {
    return this.#client.getTransactionStatus() !== 'I';
  }

  /**
   * Runs one statement with `$1` parameters, or several without.
   *
   * @throws AisecError with the SQLSTATE and pg's error as the cause; INTERRUPTED or TERMINATED after a signal.
   */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    return this.#unlessAborted(() => this.#send<Row>(text, values));
  }

  /**
   * Runs one COPY ... FROM with backpressure; see `copyRows`. `target` is `"schema"."table" (columns)`, quoted.
   *
   * @throws AisecError as `query` does.
   */
  async copyIn(target: string, chunks: Iterable<Buffer>): Promise<number> {
    return this.#unlessAborted(() => this.#track(() => this.#copyIn(target, chunks)));
  }

  /** Like `query`, but also after a signal: for ROLLBACK and for giving back locks. */
  async cleanUp(text: string, values?: readonly unknown[]): Promise<void> {
    if (!this.isLost) await this.#send(text, values);
  }

  /** A second connection to the same database, or undefined where there can be none. */
  async openSide(): Promise<SideConnection | undefined> {
    return this.#openSide?.();
  }

  /** Closes the connection, once however often it is called; never throws and never waits for a dead server. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.signal.removeEventListener('abort', this.#onAbort);
    const { stream } = (this.#client as unknown as { connection: { stream?: { destroy?: () => void } } }).connection;
    const timer = setTimeout(() => stream?.destroy?.(), CLOSE_WITHIN_MS);
    try {
      await this.#client.end();
    } catch (error) {
      this.#lost ??= error;
    } finally {
      clearTimeout(timer);
      await this.#onClose?.();
    }
  }

  async #unlessAborted<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.signal.aborted) throw interruptionError(this.signal);
    try {
      return await run();
    } catch (error) {
      if (this.signal.aborted) throw interruptionError(this.signal);
      throw error;
    }
  }

  async #send<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#track(async () => {
      const result = await this.#client.query<Row>(text, values === undefined ? undefined : [...values]);
      const last = Array.isArray(result) ? (result.at(-1) as pg.QueryResult<Row>) : result;
      return { rows: last.rows, rowCount: last.rowCount ?? 0 };
    });
  }

  /** What the server is busy with can be cancelled, and what breaks is reported as the toolkit's own errors. */
  async #track<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#lost !== undefined) throw translateError(this.#lost);
    this.#running += 1;
    this.#completed = 0;
    this.#hasCommitted = false;
    try {
      return await run();
    } catch (error) {
      const translated = translateError(error);
      if (translated.code === 'CONNECTION_LOST') this.#lost ??= error;
      if (this.#lost === undefined) await untilReady(this.#client);
      throw translated;
    } finally {
      this.#running -= 1;
    }
  }
}

/** Runs the callback in a transaction that is rolled back whatever becomes of it: a dry run. */
export async function withRollback<Result>(session: Session, run: () => Promise<Result>): Promise<Result> {
  await session.query('begin');
  try {
    return await run();
  } finally {
    await rollBack(session);
  }
}

/**
 * Runs the callback in a transaction; rolls back when it throws.
 *
 * @throws AisecError CONNECTION_LOST with a word of caution when the connection broke at COMMIT: the outcome is unknown then.
 */
export async function withTransaction<Result>(session: Session, run: () => Promise<Result>): Promise<Result> {
  await session.query('begin');
  let result: Result;
  try {
    result = await run();
  } catch (error) {
    await rollBack(session);
    throw error;
  }
  await commit(session);
  return result;
}

export async function rollBack(session: Session): Promise<void> {
  try {
    if (session.isInTransaction) await session.cleanUp('rollback');
  } catch {
    // A connection that cannot roll back is gone, and the server rolls back by itself.
    await session.close();
  }
}

async function commit(session: Session): Promise<void> {
  try {
    await watchingCommit(session, () => session.query('commit'));
  } catch (error) {
    await rollBack(session);
    if (error instanceof AisecError && error.code === 'CONNECTION_LOST') {
      throw new AisecError('CONNECTION_LOST', 'lost the connection while committing', {
        detail: 'The server may or may not have committed the last step.',
        hint: 'Run the command again: it continues from what is there.',
        cause: error,
      });
    }
    throw error;
  }
}
