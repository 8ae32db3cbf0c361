import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { unlessSilent } from '../../../base/interruption.js';
import { cancelStatements } from './cancel-statement.js';
import { cleanSession, cleanSessionFirst, mayTakeSessionLock } from './clean-session.js';
import { announceCommittedWrite, mayWriteCachedTable } from './committed-writes.js';
import { connectionLost, isFatal, lostAtCommit, type ConnectionLostError } from './connection-lost.js';
import { noteEnd, notesOf, type ConnectionNotes } from './connection-notes.js';
import { onAbort } from './on-abort.js';
import { describeQuery, type ObservedStatement, type PoolObserver, type ServerAddress } from './observer.js';
import { ASK_REPLAYED, readReplayed, waitForReplay, type Replayed } from './replay.js';
import { REPLICA_WITHIN_MS, type Replica } from './replicas.js';
import type { UserScope } from './user-scope.js';
import { parseLsn } from './write-positions.js';
import { untilReady } from '../until-ready.js';
import { toParameter } from '../values/instant.js';

/** The driver, as far as a connection knows it. */
interface Owner {
  readonly observer: PoolObserver | undefined;
  readonly address: ServerAddress | undefined;
}

/** The end of the log, at or behind the commit before it, whether that was flushed or not. */
const ASK_POSITION =
  'select case when not pg_catalog.pg_is_in_recovery() then pg_catalog.pg_current_wal_insert_lsn() end as position';

const COUNTING = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Whether the server itself reported the error; anything else means that the connection is not to be trusted. */
function isReported(error: unknown): boolean {
  return (error as { severity?: string }).severity !== undefined && !isFatal(error);
}

/** Whether a statement ended the transaction it was sent in. ROLLBACK is also what ROLLBACK TO SAVEPOINT answers. */
function hasEnded({ command }: pg.QueryResult, text: string): boolean {
  return ['COMMIT', 'BEGIN', 'START'].includes(command) || (command === 'ROLLBACK' && /\bchain\b/i.test(text));
}

function escaped(): AisecError {
  return new AisecError('USER_SCOPE', 'the transaction of withUser was ended inside of its callback', {
    detail: 'What came after COMMIT or ROLLBACK did not run as the user.',
    hint: 'Leave both to withUser.',
  });
}

/**
 * A connection for as long as one caller has it. A new one each time: a transaction object that was kept must not reach
 * the next user of the connection.
 */
export class PooledConnection implements DatabaseConnection {
  readonly #owner: Owner;
  #client: pg.PoolClient;
  #notes: ConnectionNotes;
  #isOver = false;
  #isBroken = false;
  /** A statement of the open transaction, or the one under way, may have written what is cached. */
  #hasWritten = false;
  #mayHaveLocks = false;
  #hasEscaped = false;
  /** Statements that were sent and have not ended. */
  #underWay = 0;
  #cancelling: Promise<void> | undefined;
  #stopObeying: (() => void) | undefined;
  /** Taken by db.connection(), which lasts longer than the transaction. */
  isHeld = false;
  /** The error that the open transaction failed with first. */
  failure: unknown;
  /** The scope whose transaction is open. */
  scope: UserScope | undefined;

  /** The standby that it leads to; undefined: the primary. */
  replica: Replica | undefined;

  constructor(client: pg.PoolClient, owner: Owner, replica?: Replica) {
    this.#client = client;
    this.#notes = notesOf(client);
    this.#owner = owner;
    this.replica = replica;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** For who is lent the connection alone. */
  get client(): pg.PoolClient {
    return this.#client;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    this.scope?.signal?.throwIfAborted();
    if (this.#isOver) {
      throw new AisecError('USER_SCOPE', 'a query came after its transaction or connection had ended', {
        detail: 'It was not sent: the connection may already serve another user.',
        hint: 'Await every query inside of the callback, and do not keep the transaction object.',
      });
    }
    if (this.scope === undefined) this.#notes.needsCleaning = true;
    const result = await this.#observed(
      () => describeQuery(query),
      () => this.send(query.sql, [...query.parameters]),
    );
    if (this.scope !== undefined && (this.status === 'I' || result.some((each) => hasEnded(each, query.sql)))) {
      this.#hasEscaped = true;
      this.end();
      throw escaped();
    }
    const { rows, rowCount, command } = result.at(-1) as pg.QueryResult<Row & pg.QueryResultRow>;
    return { rows, ...(COUNTING.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) };
  }

  // eslint-disable-next-line require-yield -- the interface asks for a generator
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    await Promise.reject(
      new AisecError('USAGE', 'stream() is not supported: a cursor holds the connection, and the transaction open', {
        hint: 'Read in pages by key; streamMessages does it for the messages of a conversation.',
      }),
    );
  }

  /** Begins a transaction; with a scope, as its user, in a session in which nothing of others is left. */
  async begin(begin: string, settings?: string): Promise<void> {
    await this.#begun(begin, () => this.send(settings === undefined ? begin : this.#asUser(begin, settings)));
  }

  /** The same on a replica, in one message. Returns up to where it has replayed the log; undefined: it is none. One that is silent is cut. */
  async beginOnReplica(begin: string, settings: string): Promise<Replayed | undefined> {
    const results = await this.#begun(begin, () => {
      const answer = this.send(`${ASK_REPLAYED}; ${this.#asUser(begin, settings)}`);
      return unlessSilent(REPLICA_WITHIN_MS, answer, () => (this.cut(), answer));
    });
    return readReplayed(results[1]?.rows ?? []);
  }

  /** Takes the transaction back, and returns when the replica has replayed so much, or has failed to wait, or the time is over. */
  async untilReplayed(position: bigint, timeoutMs: number): Promise<void> {
    await this.send(waitForReplay(position, timeoutMs)).catch((error: unknown) => {
      // A statement_timeout, say: the question comes again.
      if (this.#isBroken) throw error;
    });
  }

  /** Cancels what runs when the signal is aborted, until the transaction ends. A database in the process runs nothing meanwhile. */
  obey(signal: AbortSignal | undefined): void {
    if (signal === undefined || this.#owner.address === undefined) return;
    this.#stopObeying = onAbort(signal, () => {
      if (this.#underWay > 0) this.#cancelling = cancelStatements(this.#client, () => this.#underWay === 0);
    });
  }

  /** Takes a transaction back in which nothing has run yet. */
  async undo(): Promise<void> {
    await this.send('rollback');
  }

  /** Goes over to a connection to the primary, before anything has run. */
  moveTo(client: pg.PoolClient): void {
    this.#client.release(this.#isBroken || this.status !== 'I');
    this.#client = client;
    this.#notes = notesOf(client);
    this.#isBroken = false;
    this.replica = undefined;
  }

  /**
   * Ends the transaction and, where it was a user's, what is left of it in the session.
   *
   * @throws AisecError USER_SCOPE when the callback had ended it; ConnectionLostError 08007 when it is unknown whether a
   *   COMMIT came through.
   * @returns the end of the log after it, if that `isNoted`.
   */
  async finish(word: 'commit' | 'rollback', isNoted = false): Promise<bigint | undefined> {
    const { scope } = this;
    if (scope !== undefined) this.end();
    this.#stopObeying?.();
    if (this.#cancelling !== undefined) await this.#cancelling;
    if (word === 'commit' && scope !== undefined && (this.#hasEscaped || this.status === 'I')) throw escaped();
    const isKnownToBeLost = this.#notes.endedBy !== undefined;
    let isDone = false;
    const onComplete = (): void => {
      isDone = true;
    };
    const { connection } = this.#client as unknown as { readonly connection: EventEmitter };
    connection.once('commandComplete', onComplete);
    try {
      const clean = scope === undefined ? [] : [cleanSession(this.#notes, this.#mayHaveLocks)];
      const results = await this.#observed(
        () => ({ operation: word.toUpperCase(), table: undefined, text: word }),
        () => this.send([word, ...clean, ...(isNoted ? [ASK_POSITION] : [])].join('; ')),
      );
      if (scope !== undefined) this.#notes.needsCleaning = false;
      const [{ position } = { position: null }] = (isNoted ? (results.at(-1)?.rows ?? []) : []) as {
        position: string | null;
      }[];
      return position === null ? undefined : parseLsn(position);
    } catch (error) {
      // What failed came after it, so that the session is not clean.
      if (isDone) this.#isBroken = true;
      else if (word === 'commit' && this.#isBroken && !isKnownToBeLost)
        throw lostAtCommit(error as ConnectionLostError);
      else throw error;
    } finally {
      connection.off('commandComplete', onComplete);
      if (this.isHeld && !this.#hasEscaped) this.#goOn();
    }
    return undefined;
  }

  /** Sends a text, also after `end()`. Without values it may hold several statements; one result for each. */
  async send(text: string, values?: unknown[]): Promise<readonly pg.QueryResult[]> {
    this.#hasWritten ||= mayWriteCachedTable(text);
    this.#mayHaveLocks ||= mayTakeSessionLock(text);
    this.#underWay += 1;
    try {
      const given = values?.map(toParameter);
      const result = (await this.#client.query(text, given)) as pg.QueryResult | pg.QueryResult[];
      const results = Array.isArray(result) ? result : [result];
      await this.#notes.types?.complete(this.#client, results);
      return results;
    } catch (error) {
      if (isReported(error)) {
        await untilReady(this.#client);
        this.failure ??= error;
        throw error;
      }
      this.#isBroken = true;
      if (isFatal(error)) noteEnd(this.#notes, error);
      throw this.#notes.endedBy === undefined ? error : connectionLost(this.#notes.endedBy);
    } finally {
      this.#underWay -= 1;
      if (this.#hasWritten && (this.#isBroken || this.status === 'I')) {
        this.#hasWritten = false;
        announceCommittedWrite();
      }
    }
  }

  /** `I` idle, `T` in a transaction, `E` in one that failed. */
  get status(): string | null {
    return this.#client.getTransactionStatus();
  }

  async #begun<Result>(begin: string, send: () => Promise<Result>): Promise<Result> {
    const result = await this.#observed(() => ({ operation: 'BEGIN', table: undefined, text: begin }), send);
    this.failure = undefined;
    return result;
  }

  /** On Citus, with what hands role and user on to its nodes. */
  #asUser(begin: string, settings: string): string {
    const forNodes = this.#notes.runsCitus ? "set local citus.propagate_set_commands = 'local'; " : '';
    return `${cleanSessionFirst(this.#notes)}${begin}; ${forNodes}${settings}`;
  }

  /** Breaks the connection under whatever runs on it. */
  cut(): void {
    (this.#client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }

  /** Without an observer it makes no promise of its own: with AsyncLocalStorage in use each costs some microseconds. */
  #observed<Result>(
    describe: () => Pick<ObservedStatement, 'operation' | 'table' | 'text'>,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const { observer, address } = this.#owner;
    if (observer === undefined) return run();
    return observer.statement({ ...describe(), server: this.replica?.address ?? address }, run);
  }

  /** No further query is let through. */
  end(): void {
    this.#isOver = true;
  }

  /** Kysely itself refuses a transaction object that was kept. */
  #goOn(): void {
    this.#isOver = false;
    this.scope = undefined;
  }

  /** Closes the connection: nothing of its session is left for the next caller. */
  discard(): void {
    this.end();
    this.#client.release(true);
  }

  /** Gives the connection back, or away when anything is left open on it. Once, however often it is called. */
  release(): void {
    this.end();
    this.#client.release(this.#isBroken || this.status !== 'I');
  }
}
