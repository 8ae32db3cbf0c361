import type { EventEmitter } from 'node:events';

import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { cleanSession, cleanSessionFirst, mayTakeSessionLock } from './clean-session.js';
import { announceCommittedWrite, mayWriteCachedTable } from './committed-writes.js';
import { connectionLost, isFatal, lostAtCommit, type ConnectionLostError } from './connection-lost.js';
import { noteEnd, notesOf, type ConnectionNotes } from './connection-notes.js';
import type { UserScope } from './user-scope.js';
import { untilReady } from '../until-ready.js';
import { toParameter } from '../values/instant.js';

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
  readonly #client: pg.PoolClient;
  readonly #notes: ConnectionNotes;
  #isOver = false;
  #isBroken = false;
  /** A statement of the open transaction, or the one under way, may have written what is cached. */
  #hasWritten = false;
  #mayHaveLocks = false;
  #hasEscaped = false;
  /** Taken by db.connection(), which lasts longer than the transaction. */
  isHeld = false;
  /** The error that the open transaction failed with first. */
  failure: unknown;
  /** The scope whose transaction is open. */
  scope: UserScope | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
    this.#notes = notesOf(client);
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#isOver) {
      throw new AisecError('USER_SCOPE', 'a query came after its transaction or connection had ended', {
        detail: 'It was not sent: the connection may already serve another user.',
        hint: 'Await every query inside of the callback, and do not keep the transaction object.',
      });
    }
    if (this.scope === undefined) this.#notes.needsCleaning = true;
    const result = await this.send(query.sql, [...query.parameters]);
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
    await this.send(settings === undefined ? begin : `${cleanSessionFirst(this.#notes)}${begin}; ${settings}`);
    this.failure = undefined;
  }

  /**
   * Ends the transaction and, where it was a user's, what is left of it in the session.
   *
   * @throws AisecError USER_SCOPE when the callback had ended it; ConnectionLostError 08007 when it is unknown whether a
   *   COMMIT came through.
   */
  async finish(word: 'commit' | 'rollback'): Promise<void> {
    const { scope } = this;
    if (scope !== undefined) this.end();
    if (word === 'commit' && scope !== undefined && (this.#hasEscaped || this.status === 'I')) throw escaped();
    const isKnownToBeLost = this.#notes.endedBy !== undefined;
    let isDone = false;
    const onComplete = (): void => {
      isDone = true;
    };
    const { connection } = this.#client as unknown as { readonly connection: EventEmitter };
    connection.once('commandComplete', onComplete);
    try {
      await this.send(scope === undefined ? word : `${word}; ${cleanSession(this.#notes, this.#mayHaveLocks)}`);
      if (scope !== undefined) this.#notes.needsCleaning = false;
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
  }

  /** Sends a text, also after `end()`. Without values it may hold several statements; one result for each. */
  async send(text: string, values?: unknown[]): Promise<readonly pg.QueryResult[]> {
    this.#hasWritten ||= mayWriteCachedTable(text);
    this.#mayHaveLocks ||= mayTakeSessionLock(text);
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

  /** No further query is let through. */
  end(): void {
    this.#isOver = true;
  }

  /** Kysely itself refuses a transaction object that was kept. */
  #goOn(): void {
    this.#isOver = false;
    this.scope = undefined;
  }

  /** Gives the connection back, or away when anything is left open on it. Once, however often it is called. */
  release(): void {
    this.end();
    this.#client.release(this.#isBroken || this.status !== 'I');
  }
}
