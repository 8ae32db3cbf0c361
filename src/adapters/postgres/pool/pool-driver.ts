import type { Driver, TransactionSettings } from 'kysely';
import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { PooledConnection } from './pooled-connection.js';
import { PrePing } from './pre-ping.js';
import { currentScope, enterPool, type UserScope } from './user-scope.js';

export interface PoolDriverOptions {
  /** Called at the first query. */
  readonly createPool: () => Promise<pg.Pool>;
  /** A connection is asked whether it still answers when it was idle for longer; undefined: never. */
  readonly prePingAfterMs?: number | undefined;
  /** Makes the error for a connection that could not be had. */
  readonly translateConnectError?: (error: unknown) => Error;
}

/** SET is run without a plan: 30 µs less for each transaction than a query of set_config(), measured on loopback. */
function localSettings({ role, userId, settings }: UserScope): string {
  const all = { ...settings, 'app.current_user_id': userId };
  const statements = Object.entries(all).map(([name, value]) => `set local ${name} = ${quoteLiteral(value)}`);
  return [`set local role ${quoteIdentifier(role)}`, ...statements].join('; ');
}

/**
 * Kysely's driver over a pool of node-postgres. Beyond Kysely's own: BEGIN carries the user of `withUser` in one message,
 * a connection is never given back inside of a transaction, and one that went dead while it was idle is found out.
 */
export class PoolDriver implements Driver {
  readonly #options: PoolDriverOptions;
  readonly #prePing: PrePing;
  #pool: pg.Pool | undefined;

  constructor(options: PoolDriverOptions) {
    this.#options = options;
    this.#prePing = new PrePing(options.prePingAfterMs);
  }

  async init(): Promise<void> {
    this.#pool = await this.#translated(() => this.#options.createPool());
  }

  async acquireConnection(): Promise<PooledConnection> {
    enterPool(this);
    const pool = this.#pool;
    if (pool === undefined) throw new Error('the database was closed');
    return new PooledConnection(await this.#translated(() => this.#prePing.connect(pool)));
  }

  async beginTransaction(connection: PooledConnection, settings: TransactionSettings): Promise<void> {
    const modes = [
      ...(settings.isolationLevel === undefined ? [] : [`isolation level ${settings.isolationLevel}`]),
      ...(settings.accessMode === undefined ? [] : [settings.accessMode]),
    ];
    const begin = ['begin', modes.join(', ')].join(' ').trim();
    const scope = currentScope();
    // Without an owner: the connection was taken before the scope began, by db.connection().
    const isOurs = scope !== undefined && (scope.owner ?? this) === this;
    if (!isOurs || scope.isSet || !scope.isOpen) {
      await connection.begin(begin);
      return;
    }
    connection.isHeld = scope.owner === undefined;
    scope.owner = this;
    connection.scope = scope;
    try {
      await connection.begin(begin, localSettings(scope));
    } catch (error) {
      await this.rollbackTransaction(connection);
      throw error;
    }
    scope.isSet = true;
  }

  /** @throws AisecError ROLLED_BACK for a transaction that cannot be committed; PostgreSQL itself would only say ROLLBACK. */
  async commitTransaction(connection: PooledConnection): Promise<void> {
    if (connection.status === 'E') {
      if (connection.scope !== undefined) connection.end();
      throw new AisecError('ROLLED_BACK', 'the transaction was rolled back: one of its statements had failed', {
        detail: 'The callback caught that error and returned, but PostgreSQL keeps nothing of such a transaction.',
        hint: 'Let the error through, or put what may fail behind a savepoint (withSavepoint).',
        cause: connection.failure,
      });
    }
    await connection.finish('commit');
  }

  /** Never throws: the error that led here is the one to report. What could not be rolled back is closed with its connection. */
  async rollbackTransaction(connection: PooledConnection): Promise<void> {
    await connection.finish('rollback').catch(() => undefined);
  }

  async releaseConnection(connection: PooledConnection): Promise<void> {
    connection.release();
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }

  async #translated<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      throw this.#options.translateConnectError?.(error) ?? error;
    }
  }
}
