import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { announceCommittedWrite, mayWriteCachedTable } from './committed-writes.js';
import type { UserScope } from './user-scope.js';
import { untilReady } from '../until-ready.js';

const COUNTING = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Whether the server itself reported the error; anything else means that the connection is not to be trusted. */
function isReported(error: unknown): boolean {
  const { severity } = error as { severity?: string };
  return severity !== undefined && severity !== 'FATAL' && severity !== 'PANIC';
}

/**
 * A connection for as long as one caller has it. A new one each time: a transaction object that was kept must not reach
 * whoever gets the connection next.
 */
export class PooledConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  #isOver = false;
  #isBroken = false;
  /** A statement of the open transaction, or the one under way, may have written what is cached. */
  #hasWritten = false;
  /** The scope whose transaction is open. */
  scope: UserScope | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#isOver) {
      throw new AisecError('USER_SCOPE', 'a query came after its transaction or connection had ended', {
        detail: 'It was not sent: the connection may already serve another user.',
        hint: 'Await every query inside of the callback, and do not keep the transaction object.',
      });
    }
    const result = await this.send(query.sql, [...query.parameters]);
    const { rows, rowCount, command } = result.at(-1) as pg.QueryResult<Row & pg.QueryResultRow>;
    return { rows, ...(COUNTING.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) };
  }

  // eslint-disable-next-line require-yield -- the interface asks for a generator
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    await Promise.reject(new Error('streaming is not supported; read in pages by key instead'));
  }

  /** Sends a text, also after `end()`. Without values it may hold several statements; one result for each. */
  async send(text: string, values?: unknown[]): Promise<readonly pg.QueryResult[]> {
    this.#hasWritten ||= mayWriteCachedTable(text);
    try {
      const result = (await this.#client.query(text, values)) as pg.QueryResult | pg.QueryResult[];
      return Array.isArray(result) ? result : [result];
    } catch (error) {
      if (isReported(error)) await untilReady(this.#client);
      else this.#isBroken = true;
      throw error;
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

  /** Gives the connection back, or away when anything is left open on it. Once, however often it is called. */
  release(): void {
    this.end();
    this.#client.release(this.#isBroken || this.status !== 'I');
  }
}
