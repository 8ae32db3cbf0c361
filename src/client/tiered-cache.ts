import type { Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type CachedTable,
  freezeRow,
  entryKey,
  scopeOf,
  TOKEN_TTL_FACTOR,
  Membership,
  parseMessage,
  readEntry,
  withJitter,
  writeEntry,
  type Rows,
} from '../features/cache/index.js';
import { onCommittedWrite } from '../adapters/postgres/pool/committed-writes.js';
import { Listener } from '../adapters/postgres/listener.js';
import { TokenStore } from '../adapters/redis/token-store.js';
import type { AisecError } from '../base/errors.js';
import type { ServerTarget } from '../config/database-target.js';
import type { RedisTarget } from '../config/redis-target.js';
import type { DB } from '../schema/index.js';
import { loadRows, type CacheQuery } from './cache-reader.js';
import { closeDatabase } from './close-database.js';
import { LocalCache, type LocalScope } from './local-cache.js';

export interface TierSettings {
  readonly ttlMs: number;
  readonly localTtlMs: number;
  readonly negativeTtlMs: number;
  readonly aliveForMs: number;
  readonly unheardTtlMs: number;
  readonly maxUsers: number;
  readonly role: string | undefined;
  readonly onProblem: (problem: AisecError) => void;
}

export interface CacheStatus {
  /** False: changes are not heard of. Reads go to the database; behind a pooler entries live for `unheardTtlMs`. */
  readonly isListening: boolean;
  /** Why changes are not heard of, with what to do about it. */
  readonly problem: AisecError | undefined;
  /** `joining`: connected, and not yet sure that what is there is good. */
  readonly redis: 'none' | 'down' | 'joining' | 'up';
  /** Entries in this process. */
  readonly localEntries: number;
  /** Reads since the start, by who answered them. */
  readonly localHits: number;
  readonly redisHits: number;
  readonly databaseReads: number;
}

/** Redis on the same network answers in less than a millisecond. */
const REDIS_PATIENCE_MS = 35;

/** Where an entry stands in Redis. */
interface Place {
  readonly prefix: string;
  readonly tokenKey: string;
  readonly textKey: string;
}

/**
 * A read goes to the entries of the process, then to Redis, then to the database. Why an old row does not come back:
 *
 * 1. Nothing is answered from either cache unless the server has answered the listening connection within `aliveForMs`,
 *    from the very session in which LISTEN is in force. (Where that can never be, behind a pooler, rows of the process are
 *    answered for `unheardTtlMs` after their load began.) Whatever breaks it takes all local entries away; what was
 *    missed meanwhile need not be known.
 * 2. A message takes the scope away (local-cache.ts) before any later read begins; what is still being loaded goes into
 *    an object that no reader finds. So an entry that is found was loaded after the last change that was heard of.
 * 3. For Redis, see Membership: the same with tokens that all processes share.
 * 4. Who writes through createDatabase in this process takes all entries away before COMMIT returns, and Redis is left
 *    alone until the messages of that commit have come (`barrier`). So own changes are read at once.
 */
export class TieredCache {
  readonly #db: Kysely<DB>;
  readonly #settings: TierSettings;
  readonly #listener: Listener;
  readonly #store: TokenStore | undefined;
  readonly #membership: Membership | undefined;
  readonly #local: LocalCache;
  readonly #forgetWrites: () => void;
  /** Barriers of own writes that have not passed. */
  #unheardWrites = 0;
  #localHits = 0;
  #redisHits = 0;
  #databaseReads = 0;

  constructor(db: Kysely<DB>, target: ServerTarget, redis: RedisTarget | undefined, settings: TierSettings) {
    this.#db = db;
    this.#settings = settings;
    this.#local = new LocalCache(settings.maxUsers);
    this.#listener = new Listener({
      target,
      applicationName: 'aisec cache',
      schema: null,
      aliveForMs: settings.aliveForMs,
      onUp: (stamp) => {
        this.#local.clear();
        this.#membership?.listenerUp(stamp);
      },
      onDown: (error) => {
        this.#local.clear();
        this.#membership?.listenerDown();
        settings.onProblem(error);
      },
      onMessage: (text) => this.#hear(text),
    });
    if (redis !== undefined) {
      this.#store = new TokenStore({
        target: redis,
        connectionName: 'aisec-cache',
        patienceMs: REDIS_PATIENCE_MS,
        onUp: (runId) => this.#membership?.storeUp(runId),
        onDown: settings.onProblem,
      });
      this.#membership = new Membership(this.#listener, this.#store);
    }
    this.#forgetWrites = onCommittedWrite(() => void this.#ownWrite());
  }

  start(): void {
    this.#listener.start();
    void this.#store?.start();
  }

  // Here and below few promises are made: with AsyncLocalStorage in use, as by withUser, each costs some microseconds.
  read(query: CacheQuery): Promise<Rows> {
    // As without a cache: who joined a load that began earlier would miss a change that was not announced.
    if (!this.#listener.isAlive) return this.#readUnheard(query);
    const scope = this.#local.scope(query.table, query.owner);
    const entry = scope.entries.get(query.key);
    if (entry !== undefined && entry.expiresMs > performance.now()) {
      this.#localHits += 1;
      return Promise.resolve(entry.rows);
    }
    let flight = scope.flights.get(query.key);
    if (flight === undefined) {
      flight = this.#fetch(query, scope);
      scope.flights.set(query.key, flight);
    }
    return flight;
  }

  async sync(): Promise<void> {
    if (!(await this.#listener.barrier())) this.#local.clear();
  }

  async ready(timeoutMs: number): Promise<boolean> {
    const untilMs = performance.now() + timeoutMs;
    const isReady = (): boolean => this.#listener.isAlive && ['none', 'up'].includes(this.status.redis);
    while (!isReady() && performance.now() < untilMs) await sleep(10);
    return isReady();
  }

  get status(): CacheStatus {
    const store = this.#store;
    return {
      isListening: this.#listener.isAlive,
      problem: this.#listener.isAlive ? undefined : this.#listener.problem,
      redis:
        store === undefined ? 'none' : !store.isUp ? 'down' : this.#membership?.prefix === undefined ? 'joining' : 'up',
      localEntries: this.#local.size,
      localHits: this.#localHits,
      redisHits: this.#redisHits,
      databaseReads: this.#databaseReads,
    };
  }

  async close(): Promise<void> {
    this.#forgetWrites();
    this.#membership?.close();
    this.#store?.close();
    await Promise.all([this.#listener.close(), closeDatabase(this.#db)]);
    this.#local.clear();
  }

  /** A load is not shared, for it may have begun longer ago than an entry lives. */
  async #readUnheard(query: CacheQuery): Promise<Rows> {
    const { unheardTtlMs } = this.#settings;
    if (!this.#listener.isPooled || unheardTtlMs === 0) return this.#load(query);
    const scope = this.#local.scope(query.table, query.owner);
    const startedMs = performance.now();
    const entry = scope.entries.get(query.key);
    if (entry !== undefined && entry.expiresMs > startedMs) {
      this.#localHits += 1;
      return entry.rows;
    }
    const rows = await this.#load(query);
    this.#local.keep(scope, query.key, { rows, expiresMs: startedMs + unheardTtlMs });
    return rows;
  }

  async #load(query: CacheQuery): Promise<Rows> {
    this.#databaseReads += 1;
    return loadRows(this.#db, query, this.#settings.role);
  }

  #fetch(query: CacheQuery, scope: LocalScope): Promise<Rows> {
    const place = this.#placeOf(query);
    if (place === undefined || this.#store === undefined) return this.#miss(query, scope, undefined, null);
    return this.#store.read(place.tokenKey, place.textKey, (answer) => {
      // Redis went away, or what it has is not good any more: as if there were none.
      if (answer === undefined || this.#membership?.prefix !== place.prefix)
        return this.#miss(query, scope, undefined, null);
      const [token = null, text = null] = answer;
      const rows = token === null || text === null ? undefined : readEntry(text, token, query.owner);
      if (rows === undefined) return this.#miss(query, scope, place, token);
      this.#redisHits += 1;
      for (const row of rows) freezeRow(row);
      this.#keep(scope, query.key, rows);
      scope.flights.delete(query.key);
      return rows;
    });
  }

  /** `place` undefined: Redis is not to be used. `found`: the token that is there. */
  async #miss(query: CacheQuery, scope: LocalScope, place: Place | undefined, found: string | null): Promise<Rows> {
    try {
      const token =
        place === undefined
          ? undefined
          : (found ??
            (await this.#store?.token(place.tokenKey, this.#settings.ttlMs * TOKEN_TTL_FACTOR).catch(() => undefined)));
      // Only now: what is loaded is not older than the token.
      const rows = await this.#load(query);
      this.#keep(scope, query.key, rows);
      if (place !== undefined && token !== undefined) this.#share(place, writeEntry(token, query.owner, rows), rows);
      return rows;
    } finally {
      scope.flights.delete(query.key);
    }
  }

  /** Undefined while Redis must not be used. */
  #placeOf({ table, owner, key }: CacheQuery): Place | undefined {
    const prefix = this.#membership?.prefix;
    if (prefix === undefined || this.#unheardWrites > 0) return undefined;
    const scope = scopeOf(table, owner === '' ? undefined : owner);
    return { prefix, tokenKey: `${prefix}${scope}`, textKey: entryKey(prefix, scope, key) };
  }

  #keep(scope: LocalScope, key: string, rows: Rows): void {
    const { localTtlMs, negativeTtlMs } = this.#settings;
    const ttlMs = rows.length === 0 ? Math.min(localTtlMs, negativeTtlMs) : localTtlMs;
    if (ttlMs > 0) this.#local.keep(scope, key, { rows, expiresMs: performance.now() + withJitter(ttlMs) });
  }

  #share({ textKey }: Place, text: string, rows: Rows): void {
    const { ttlMs, negativeTtlMs } = this.#settings;
    const lifeMs = rows.length === 0 ? Math.min(ttlMs, negativeTtlMs) : ttlMs;
    if (lifeMs > 0) this.#store?.write(textKey, text, withJitter(lifeMs)).catch(() => undefined);
  }

  #hear(text: string): void {
    const message = parseMessage(text);
    if (message === undefined) return;
    if (message.kind === 'change') {
      const table = message.table as CachedTable;
      if (message.users === undefined) this.#local.forgetTable(table);
      else for (const user of message.users) this.#local.forget(table, user);
    }
    // `aisec cache flush` begins one.
    if (message.kind === 'epoch') this.#local.clear();
    this.#membership?.hear(message);
  }

  async #ownWrite(): Promise<void> {
    this.#local.clear();
    if (!this.#listener.isUp) return;
    this.#unheardWrites += 1;
    await this.#listener.barrier();
    this.#unheardWrites -= 1;
  }
}
