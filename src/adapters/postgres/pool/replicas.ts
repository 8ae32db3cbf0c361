import type pg from 'pg';

import { unlessSilent } from '../../../base/interruption.js';
import type { ServerAddress } from './observer.js';
import { PrePing } from './pre-ping.js';
import { probe, type Probed } from './probe.js';

/** How long a replica is left out after it failed. */
const REST_MS = 5000;
/** A replica is worth no longer wait, for a connection and for BEGIN: the primary is there. */
export const REPLICA_WITHIN_MS = 1000;

export interface ReplicaOptions {
  readonly address: ServerAddress;
  /** Called at the first read. */
  readonly createPool: () => Promise<pg.Pool>;
  readonly prePingAfterMs: number;
}

export interface ReplicaStats {
  readonly host: string;
  readonly port: number;
  /** False while it is left out, for it failed a moment ago. */
  readonly isUsed: boolean;
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

export interface ReplicaProbe {
  readonly host: string;
  readonly port: number;
  /** Undefined: it is left out, for it failed a moment ago. */
  readonly probed: Probed | undefined;
}

/** A standby server that takes reads. */
export class Replica {
  readonly address: ServerAddress;
  readonly #options: ReplicaOptions;
  readonly #prePing: PrePing;
  #pool: pg.Pool | undefined;
  #opening: Promise<pg.Pool> | undefined;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.address = options.address;
    this.#prePing = new PrePing(options.prePingAfterMs);
  }

  get isUsed(): boolean {
    return performance.now() >= this.#restsUntilMs;
  }

  rest(): void {
    this.#restsUntilMs = performance.now() + REST_MS;
  }

  /** Undefined when it gives no connection in time. */
  async connect(): Promise<pg.PoolClient | undefined> {
    const connecting = this.#open().then((pool) => this.#prePing.connect(pool));
    try {
      const client = await unlessSilent(REPLICA_WITHIN_MS, connecting, () => undefined);
      if (client !== undefined) return client;
      // It may still come.
      connecting.then((late) => late.release()).catch(() => undefined);
    } catch {
      // Whatever it was: the primary serves instead.
    }
    this.rest();
    return undefined;
  }

  /** Asks it what it has replayed. Never throws; one that is left out is not asked. */
  async probe(timeoutMs: number): Promise<Probed | undefined> {
    if (!this.isUsed) return undefined;
    const probed = await probe(timeoutMs, async () => {
      const client = await this.connect();
      if (client === undefined) throw new Error('it gives no connection');
      return client;
    });
    if (probed.isSilent === true) this.rest();
    return probed;
  }

  get stats(): ReplicaStats {
    const { host, port } = this.address;
    const { totalCount: total = 0, idleCount: idle = 0, waitingCount: waiting = 0 } = this.#pool ?? {};
    return { host, port, isUsed: this.isUsed, total, idle, waiting };
  }

  async close(): Promise<void> {
    const pool = await this.#opening?.catch(() => undefined);
    this.#pool = undefined;
    this.#opening = undefined;
    await pool?.end();
  }

  async #open(): Promise<pg.Pool> {
    this.#opening ??= this.#options.createPool().then((pool) => (this.#pool = pool));
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}

/** The replicas of a primary, each in its turn. */
export class ReplicaSet {
  readonly #replicas: readonly Replica[];
  #next = 0;

  constructor(options: readonly ReplicaOptions[]) {
    this.#replicas = options.map((each) => new Replica(each));
  }

  get size(): number {
    return this.#replicas.length;
  }

  /** A connection of the first replica that gives one; undefined when none does. */
  async connect(): Promise<{ readonly client: pg.PoolClient; readonly replica: Replica } | undefined> {
    const first = this.#next;
    this.#next = (first + 1) % Math.max(1, this.size);
    for (let index = 0; index < this.size; index += 1) {
      const replica = this.#replicas[(first + index) % this.size];
      if (replica === undefined || !replica.isUsed) continue;
      const client = await replica.connect();
      if (client !== undefined) return { client, replica };
    }
    return undefined;
  }

  async probe(timeoutMs: number): Promise<readonly ReplicaProbe[]> {
    return Promise.all(
      this.#replicas.map(async (replica) => ({ ...replica.address, probed: await replica.probe(timeoutMs) })),
    );
  }

  get stats(): readonly ReplicaStats[] {
    return this.#replicas.map(({ stats }) => stats);
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.close()));
  }
}
