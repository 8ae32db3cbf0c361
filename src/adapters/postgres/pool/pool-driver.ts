import { setTimeout as sleep } from 'node:timers/promises';

import type { Driver, TransactionSettings } from 'kysely';
import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { ConnectionLostError } from './connection-lost.js';
import type { PoolObserver, ServerAddress } from './observer.js';
import { Occupancy } from './occupancy.js';
import { PooledConnection } from './pooled-connection.js';
import { PrePing } from './pre-ping.js';
import { probe, type Probed } from './probe.js';
import { ReplicaSet, type ReplicaOptions, type ReplicaProbe, type ReplicaStats } from './replicas.js';
import { currentScope, enterPool, type UserScope } from './user-scope.js';
import { WritePositions } from './write-positions.js';

export interface PoolDriverOptions {
  /** Called at the first query. */
  readonly createPool: () => Promise<pg.Pool>;
  /** Connections at most, as long as there is no pool that says so. */
  readonly max?: number;
  /** Undefined: the database is in this process. */
  readonly address?: ServerAddress;
  readonly replicas?: readonly ReplicaOptions[];
  /** How long a read waits for a replica to replay what the user wrote, before the primary serves it. */
  readonly replicaWaitMs?: number;
  /** A connection is asked whether it still answers when it was idle for longer; undefined: never. */
  readonly prePingAfterMs?: number | undefined;
  /** Makes the error for a connection that could not be had. */
  readonly translateConnectError?: (error: unknown) => Error;
}

export interface PoolStats {
  /** Connections that are open: idle or in use. */
  readonly total: number;
  readonly idle: number;
  readonly inUse: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  /** Connections that may be open at once. */
  readonly max: number;
  readonly replicas: readonly ReplicaStats[];
}

/** How long it is until a replica that lags is asked again, at first and at most. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [2, 25];

/** SET is run without a plan: 30 µs less for each transaction than a query of set_config(), measured on loopback. */
function localSettings({ role, userId, settings }: UserScope): string {
  const all = { ...settings, 'app.current_user_id': userId };
  const statements = Object.entries(all).map(([name, value]) => `set local ${name} = ${quoteLiteral(value)}`);
  return [`set local role ${quoteIdentifier(role)}`, ...statements].join('; ');
}

function closed(): AisecError {
  return new AisecError('DATABASE_CLOSED', 'the database was closed', {
    hint: 'Stop taking requests before it is closed, and open a new one for what comes later.',
  });
}

/**
 * Kysely's driver over a pool of node-postgres. Beyond Kysely's own: BEGIN carries the user of `withUser` in one message,
 * a connection is never given back inside of a transaction, one that went dead while it was idle is found out, and reads
 * go to replicas that have replayed what their user wrote.
 */
export class PoolDriver implements Driver {
  readonly #options: PoolDriverOptions;
  readonly #prePing: PrePing;
  readonly #occupancy = new Occupancy();
  readonly #replicas: ReplicaSet;
  readonly #positions = new WritePositions();
  #pool: pg.Pool | undefined;
  #opening: Promise<pg.Pool> | undefined;
  #isClosed = false;
  #closing: Promise<number> | undefined;
  /** Sees statements and scopes; undefined: none is watched. */
  observer: PoolObserver | undefined;

  constructor(options: PoolDriverOptions) {
    this.#options = options;
    this.#prePing = new PrePing(options.prePingAfterMs);
    this.#replicas = new ReplicaSet(options.replicas ?? []);
  }

  async init(): Promise<void> {
    this.#refuseIfClosed();
    // Kysely asks for it at the first query; a probe or a lent connection may have done so before.
    const opening = (this.#opening ??= this.#options.createPool());
    try {
      this.#pool = await this.#translated(() => opening);
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async acquireConnection(): Promise<PooledConnection> {
    this.#refuseIfClosed();
    enterPool(this);
    const current = currentScope();
    const scope = current?.isOpen === true && !current.isSet && current.owner === this ? current : undefined;
    return this.#occupancy.take(async () => {
      if (scope?.mayUseReplica === true) {
        const found = this.#positions.of(scope.userId) === undefined ? undefined : await this.#replicas.connect();
        if (found !== undefined) return new PooledConnection(found.client, this, found.replica);
      }
      return new PooledConnection(await this.#connect(), this);
    }, scope?.signal);
  }

  /**
   * Lends a connection to work that needs a session to itself for a while. It is closed afterwards: no other caller finds
   * what it left.
   */
  async lend<Result>(use: (client: pg.PoolClient) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (this.#pool === undefined) await this.init();
    this.#refuseIfClosed();
    enterPool(this);
    const connect = async (): Promise<PooledConnection> => new PooledConnection(await this.#connect(), this);
    const connection = await this.#occupancy.take(connect, signal);
    try {
      return await use(connection.client);
    } finally {
      connection.discard();
      this.#occupancy.give(connection);
    }
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
    scope.signal?.throwIfAborted();
    connection.isHeld = scope.owner === undefined;
    scope.owner = this;
    connection.scope = scope;
    connection.obey(scope.signal);
    try {
      if (connection.replica === undefined || !(await this.#beginOnReplica(connection, begin, scope)))
        await connection.begin(begin, localSettings(scope));
      scope.signal?.throwIfAborted();
    } catch (error) {
      await this.rollbackTransaction(connection);
      throw error;
    }
    scope.isSet = true;
  }

  /** @throws AisecError ROLLED_BACK for a transaction that cannot be committed; PostgreSQL itself would only say ROLLBACK. */
  async commitTransaction(connection: PooledConnection): Promise<void> {
    const { scope } = connection;
    scope?.signal?.throwIfAborted();
    if (connection.status === 'E') {
      if (scope !== undefined) connection.end();
      throw new AisecError('ROLLED_BACK', 'the transaction was rolled back: one of its statements had failed', {
        detail: 'The callback caught that error and returned, but PostgreSQL keeps nothing of such a transaction.',
        hint: 'Let the error through, or put what may fail behind a savepoint (withSavepoint).',
        cause: connection.failure,
      });
    }
    // A read on the primary finds out where the log is when the end of an earlier commit is unknown.
    const isNoted =
      this.#replicas.size > 0 &&
      scope !== undefined &&
      connection.replica === undefined &&
      (!scope.isReadOnly || this.#positions.of(scope.userId) === undefined);
    try {
      const position = await connection.finish('commit', isNoted);
      if (isNoted) this.#positions.note(scope.userId, position);
    } catch (error) {
      if (isNoted && error instanceof ConnectionLostError) this.#positions.note(scope.userId, undefined);
      throw error;
    }
  }

  /** Never throws: the error that led here is the one to report. What could not be rolled back is closed with its connection. */
  async rollbackTransaction(connection: PooledConnection): Promise<void> {
    await connection.finish('rollback').catch(() => undefined);
  }

  async releaseConnection(connection: PooledConnection): Promise<void> {
    if (connection.isBroken) connection.replica?.rest();
    connection.release();
    this.#occupancy.give(connection);
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    await this.close(Number.POSITIVE_INFINITY);
  }

  /**
   * Lets no new caller in, waits until the ones that are there have ended, and closes all connections. Returns how many
   * were still there when the time was over; their connections are broken.
   */
  async close(timeoutMs: number): Promise<number> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get stats(): PoolStats {
    const { totalCount: total = 0, idleCount: idle = 0, waitingCount: waiting = 0 } = this.#pool ?? {};
    const max = this.#pool?.options.max ?? this.#options.max ?? 1;
    return { total, idle, inUse: total - idle, waiting, max, replicas: this.#replicas.stats };
  }

  get address(): ServerAddress | undefined {
    return this.#options.address;
  }

  /** Up to where a replica must have replayed the log to show a user the own writes; undefined: that is not known. */
  positionOf(userId: string): bigint | undefined {
    return this.#positions.of(userId);
  }

  /** Asks the server, over a connection of the pool, whether it answers and takes writes. Never throws. */
  async probe(timeoutMs: number): Promise<Probed> {
    return probe(timeoutMs, async () => {
      this.#refuseIfClosed();
      if (this.#pool === undefined) await this.init();
      return this.#connect();
    });
  }

  /** Asks each replica what it has replayed. Never throws. */
  async probeReplicas(timeoutMs: number): Promise<readonly ReplicaProbe[]> {
    return this.#isClosed ? [] : this.#replicas.probe(timeoutMs);
  }

  async #close(timeoutMs: number): Promise<number> {
    this.#isClosed = true;
    const isIdle = await this.#occupancy.untilIdle(timeoutMs);
    const cut = isIdle ? 0 : this.#occupancy.cut(closed());
    const pool = this.#pool;
    this.#pool = undefined;
    const ended = Promise.all([pool?.end(), this.#replicas.close()]);
    // Who was cut off holds a connection until its callback is over, which may be never.
    if (cut === 0) await ended;
    else ended.catch(() => undefined);
    return cut;
  }

  /** False when the replica lacks what the user must see; the connection is then one to the primary. */
  async #beginOnReplica(connection: PooledConnection, begin: string, scope: UserScope): Promise<boolean> {
    const own = this.#positions.of(scope.userId) ?? 0n;
    const needed = own > scope.notBefore ? own : scope.notBefore;
    const endMs = performance.now() + (this.#options.replicaWaitMs ?? 0);
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        const replayed = await connection.beginOnReplica(begin, localSettings(scope));
        if (replayed !== undefined && replayed.position >= needed) return true;
        const leftMs = endMs - performance.now();
        if (replayed === undefined) connection.replica?.rest();
        if (replayed?.canWait === true && leftMs > 0) await connection.untilReplayed(needed, leftMs);
        else await connection.undo();
        if (replayed === undefined || leftMs <= 0) break;
        if (!replayed.canWait) await sleep(Math.min(pauseMs, leftMs));
        scope.signal?.throwIfAborted();
      }
    } catch (error) {
      // Nothing of the callback has run.
      if (!connection.isBroken) throw error;
      connection.replica?.rest();
    }
    connection.moveTo(await this.#connect());
    return false;
  }

  async #connect(): Promise<pg.PoolClient> {
    const pool = this.#pool;
    if (pool === undefined) throw closed();
    return this.#translated(() => this.#prePing.connect(pool));
  }

  #refuseIfClosed(): void {
    if (this.#isClosed) throw closed();
  }

  async #translated<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      throw this.#options.translateConnectError?.(error) ?? error;
    }
  }
}
