import { randomBytes } from 'node:crypto';

import type pg from 'pg';

import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { afterSilence } from '../../base/interruption.js';
import type { ServerTarget } from '../../config/database-target.js';
import { translateConnectError } from './connect-error.js';
import { connect, cut } from './login/connect.js';
import { clientSql } from './client-sql.js';
import { pinQuery } from './pinned-settings.js';
import { QUERY_CANCELED, withoutTimeLimit } from './time-limit.js';

interface Facts {
  readonly channel: string | null;
  readonly announces_changes: boolean;
  readonly stamp: string;
  readonly pid: number;
  readonly is_listening: boolean;
}

export interface ListenerOptions {
  readonly target: ServerTarget;
  readonly applicationName: string;
  /** Where the tables are; null: by the search_path. */
  readonly schema: string | null;
  /** For how long after the last answer of the server the connection counts as alive. */
  readonly aliveForMs: number;
  /** Messages were missed before this; from here on none is. `stamp` is the shape of the tables. */
  readonly onUp: (stamp: string) => void;
  /** Nothing is heard any more. Called once an outage, with what broke it. */
  readonly onDown: (error: AisecError) => void;
  readonly onMessage: (text: string) => void;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2000;
const LONGEST_SILENCE_MS = 10_000;
const LIMITLESS = pinQuery({ idle_session_timeout: '0', transaction_timeout: '0' });
/** A pooler stays one until the configuration changes. */
const POOLER_RETRY_MS = 30_000;

function notAnnounced(channel: string | null): AisecError {
  return new AisecError('CACHE_UNAVAILABLE', 'the database does not announce changes of its read-mostly tables', {
    detail: channel === null ? 'The tables are not there.' : 'A trigger notify_cache_… is missing or disabled.',
    hint: 'Run: aisec migrate up. Until then every read goes to the database.',
  });
}

/** The process id of the login handshake is that of the session that LISTENs; a pooler lets others answer as well. */
function isPooled(client: pg.Client, { pid }: Pick<Facts, 'pid'>): boolean {
  return (client as unknown as { readonly processID: number | null }).processID !== pid;
}

function pooled(): AisecError {
  return new AisecError('CACHE_UNAVAILABLE', 'changes cannot be heard through a pooler', {
    detail: 'Another session of the server answers than the one that was logged in to, so LISTEN is not in force.',
    hint: 'Give the address of the PostgreSQL server itself as listenUrl.',
  });
}

function notListening(): AisecError {
  return new AisecError('CACHE_UNAVAILABLE', 'LISTEN is not in force in the session that hears of changes', {
    hint: 'Give the address of the PostgreSQL server itself as listenUrl: something in between does not pass LISTEN on.',
  });
}

function lost(cause?: unknown): AisecError {
  return new AisecError('CONNECTION_LOST', 'the connection that hears of changes broke', {
    hint: 'Nothing to do: it is made again, and until then every read goes to the database.',
    cause,
  });
}

/**
 * A connection that LISTENs for the messages of the triggers notify_cache_…, and is made again when it breaks. The server is asked
 * three times within `aliveForMs` whether it is still there, since a connection that a firewall dropped looks like one on
 * which nothing happens. Each answer also says whether the triggers are on and the tables as they were.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #barriers = new Map<string, (isPassed: boolean) => void>();
  #client: pg.Client | undefined;
  #channel = '';
  #stamp = '';
  #aliveUntilMs = Number.NEGATIVE_INFINITY;
  #isUp = false;
  #isPooled = false;
  #problem: AisecError | undefined;
  #hasToldDown = false;
  #isClosed = false;
  #retries = 0;
  #timer: NodeJS.Timeout | undefined;
  #starting: Promise<void> | undefined;
  /** The last query of the connection: node-postgres wants one at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  /** A barrier that is not sent yet: callers meanwhile share it. */
  #nextBarrier: Promise<boolean> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** True while no message can be missing for longer than `aliveForMs`. */
  get isAlive(): boolean {
    return performance.now() < this.#aliveUntilMs;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Nothing can be heard, and that stays so until the configuration changes. */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  /** Why nothing is heard; undefined while something is, and before the first attempt has ended. */
  get problem(): AisecError | undefined {
    return this.#problem;
  }

  start(): void {
    this.#starting = this.#connect();
  }

  /** Sends a message to every listener, this one included. Never throws; false: it was not sent. */
  async send(message: object): Promise<boolean> {
    const client = this.#client;
    if (client === undefined || !this.#isUp) return false;
    try {
      await this.#query(client, 'select pg_catalog.pg_notify($1, $2)', [this.#channel, JSON.stringify(message)]);
      return client === this.#client;
    } catch (error) {
      this.#drop(client, lost(error));
      return false;
    }
  }

  /**
   * Waits until everything that was committed before this call has been heard: messages are delivered in the order of
   * the commits, so it sends one of its own. False when the connection broke meanwhile, or when the message has not come
   * within `aliveForMs`: then it is not believed any more.
   */
  async barrier(): Promise<boolean> {
    this.#nextBarrier ??= this.#queue.then(async () => {
      this.#nextBarrier = undefined;
      const nonce = randomBytes(9).toString('base64url');
      const passed = new Promise<boolean>((resolve) => this.#barriers.set(nonce, resolve));
      const client = this.#client;
      const stop = afterSilence(this.#options.aliveForMs, () => client && this.#drop(client, notListening()));
      if (!(await this.send({ barrier: nonce }))) this.#barriers.get(nonce)?.(false);
      return passed.finally(() => {
        stop();
        this.#barriers.delete(nonce);
      });
    });
    return this.#nextBarrier;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#starting;
    const client = this.#client;
    this.#forget();
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const { target, applicationName } = this.#options;
    let client: pg.Client;
    try {
      client = await connect(target, applicationName);
    } catch (error) {
      this.#retryLater(error instanceof AisecError ? error : translateConnectError(error, target));
      return;
    }
    client.on('error', (error) => this.#drop(client, lost(error)));
    client.on('end', () => this.#drop(client, lost()));
    client.on('notification', ({ payload }) => this.#hear(client, payload ?? ''));
    if (this.#isClosed) {
      await client.end().catch(() => undefined);
      return;
    }
    this.#client = client;
    try {
      await this.#listen(client).catch(async (error: unknown) => {
        // Not before: behind a pooler, which the first question finds out, it would stay with a session of others.
        if ((error as { readonly code?: string }).code !== QUERY_CANCELED) throw error;
        await withoutTimeLimit(client);
        await this.#listen(client);
      });
    } catch (error) {
      this.#drop(client, error instanceof AisecError ? error : lost(error));
    }
  }

  async #ask(client: pg.Client): Promise<Facts> {
    const { rows } = await this.#query(client, clientSql('cache-facts'), [this.#options.schema]);
    const [facts] = rows as readonly Facts[];
    this.#isPooled = facts !== undefined && isPooled(client, facts);
    if (this.#isPooled) throw pooled();
    if (facts?.announces_changes !== true || facts.channel === null) throw notAnnounced(facts?.channel ?? null);
    return facts;
  }

  /** Limits of the role or the database would end a session that mostly waits. A pooler's session is not its own to set. */
  async #pin(client: pg.Client): Promise<void> {
    const { rows } = await this.#query(client, 'select pg_catalog.pg_backend_pid() as pid');
    this.#isPooled = isPooled(client, rows[0] as Pick<Facts, 'pid'>);
    if (this.#isPooled) throw pooled();
    await this.#query(client, LIMITLESS);
  }

  async #listen(client: pg.Client): Promise<void> {
    await this.#pin(client);
    const { channel } = await this.#ask(client);
    if (channel === null) throw notAnnounced(channel);
    this.#channel = channel;
    await this.#query(client, `listen ${quoteIdentifier(channel)}`);
    // Asked again: the tables may have changed before LISTEN was in force.
    const askedMs = performance.now();
    const facts = await this.#ask(client);
    if (client !== this.#client) return;
    if (!facts.is_listening) throw notListening();
    this.#stamp = facts.stamp;
    this.#isUp = true;
    this.#problem = undefined;
    this.#hasToldDown = false;
    this.#retries = 0;
    this.#options.onUp(this.#stamp);
    this.#aliveUntilMs = askedMs + this.#options.aliveForMs;
    this.#askAgainLater(client);
  }

  #askAgainLater(client: pg.Client): void {
    this.#timer = setTimeout(() => void this.#heartbeat(client), this.#options.aliveForMs / 3);
  }

  async #heartbeat(client: pg.Client): Promise<void> {
    const askedMs = performance.now();
    const stop = afterSilence(Math.min(LONGEST_SILENCE_MS, this.#options.aliveForMs * 2), () => cut(client));
    try {
      const { stamp, channel, is_listening: isListening } = await this.#ask(client);
      if (client !== this.#client) return;
      if (!isListening) throw notListening();
      // Another shape: whatever was kept has the old one. Another channel: the tables were made again.
      if (stamp !== this.#stamp || channel !== this.#channel) throw lost();
      this.#aliveUntilMs = askedMs + this.#options.aliveForMs;
      this.#askAgainLater(client);
    } catch (error) {
      this.#drop(client, error instanceof AisecError ? error : lost(error));
    } finally {
      stop();
    }
  }

  #hear(client: pg.Client, text: string): void {
    if (client !== this.#client) return;
    const nonce = /^\{"barrier":"([\w-]+)"\}$/.exec(text)?.[1];
    if (nonce === undefined) this.#options.onMessage(text);
    else this.#barriers.get(nonce)?.(true);
  }

  async #query(client: pg.Client, text: string, values?: readonly unknown[]): Promise<pg.QueryResult> {
    const answer = this.#queue.then(() => client.query(text, values && [...values]));
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  #forget(): void {
    this.#client = undefined;
    this.#isUp = false;
    this.#aliveUntilMs = Number.NEGATIVE_INFINITY;
    clearTimeout(this.#timer);
    for (const resolve of this.#barriers.values()) resolve(false);
  }

  #drop(client: pg.Client, error: AisecError): void {
    if (client !== this.#client) return;
    this.#forget();
    cut(client);
    this.#retryLater(error);
  }

  #retryLater(error: AisecError): void {
    if (this.#isClosed) return;
    this.#problem = error;
    if (!this.#hasToldDown) this.#options.onDown(error);
    this.#hasToldDown = true;
    const soonMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries);
    const waitMs = (this.#isPooled ? POOLER_RETRY_MS : soonMs) * (0.5 + Math.random());
    this.#retries += 1;
    this.#timer = setTimeout(() => this.start(), waitMs);
  }
}
