import { DAY_MS } from '../base/duration.js';
import { DEFAULT_TTL_MS } from '../features/cache/index.js';
import { AisecError } from '../base/errors.js';
import { inSchema } from '../config/in-schema.js';
import { resolveServiceTarget } from '../config/connection/service-target.js';
import { resolveServiceRedis } from '../config/redis-target.js';
import type { DB } from '../schema/index.js';
import { cacheReads, type CacheReads } from './cache-reads.js';
import { checkOptions } from './check-arguments.js';
import { createDatabase } from './create-database.js';
import { TieredCache, type CacheStatus, type TierSettings } from './tiered-cache.js';

export interface CacheOptions {
  /** The database, as in `createDatabase`. It needs few connections of its own (at most 6). */
  readonly url?: string | undefined;
  /** As in `createDatabase`: the schema of one tenant, whose changes alone are heard of. */
  readonly schema?: string | undefined;
  readonly extensionSchema?: string | undefined;
  /** Where to LISTEN when `url` is a pooler, through which that does not work. Default: `url`. */
  readonly listenUrl?: string | undefined;
  /** `redis://host:6379`. Default: REDIS_URL; without either, the cache lives in this process alone. */
  readonly redisUrl?: string | undefined;
  /** Longest life of an entry in Redis, ten percent more or less. Default: 10 minutes. */
  readonly ttlMs?: number;
  /** The same of an entry in this process; 0: none is kept there. Default: a minute. */
  readonly localTtlMs?: number;
  /** The same, in both, of the knowledge that a row is not there. Default: half a minute. */
  readonly negativeTtlMs?: number;
  /** For how long the database may be silent before its rows are asked for again. Default: 3 s. */
  readonly aliveForMs?: number;
  /**
   * Life of an entry in this process where changes can never be heard of, behind a pooler without `listenUrl`; 0: none is
   * kept there. A row is as old as that at most. Default: one second.
   */
  readonly unheardTtlMs?: number;
  /** Users, at most, whose rows are kept in this process. Default: 5000. */
  readonly maxUsers?: number;
  /** Role that rows are read as. Default: `authenticated`. */
  readonly role?: string;
  /** Called when Redis, or the connection that hears of changes, goes away: once an outage. Reads continue. */
  readonly onProblem?: (problem: AisecError) => void;
}

/** Rows of the read-mostly tables. Every promise fails only with what the database itself fails with. */
export interface Cache extends CacheReads {
  /** Resolves when no later read shows anything older than what was committed before this call, by whomever. */
  sync(): Promise<void>;
  /** Resolves with true when entries are kept as wanted, with false when that is not so in time. Reading needs no wait. */
  ready(timeoutMs?: number): Promise<boolean>;
  status(): CacheStatus;
  /** Closes all connections. */
  close(): Promise<void>;
}

const OPTIONS: Readonly<Record<keyof CacheOptions, true>> = {
  url: true,
  schema: true,
  extensionSchema: true,
  listenUrl: true,
  redisUrl: true,
  ttlMs: true,
  localTtlMs: true,
  negativeTtlMs: true,
  aliveForMs: true,
  unheardTtlMs: true,
  maxUsers: true,
  role: true,
  onProblem: true,
};

const DEFAULTS = {
  ttlMs: DEFAULT_TTL_MS,
  localTtlMs: 60_000,
  negativeTtlMs: 30_000,
  aliveForMs: 3000,
  unheardTtlMs: 1000,
  maxUsers: 5000,
};
const LEAST: Readonly<Record<keyof typeof DEFAULTS, number>> = {
  ttlMs: 1,
  localTtlMs: 0,
  negativeTtlMs: 0,
  aliveForMs: 100,
  unheardTtlMs: 0,
  maxUsers: 1,
};

function checkNumbers(settings: Readonly<Record<keyof typeof DEFAULTS, number>>): void {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = settings[name as keyof typeof DEFAULTS];
    if (Number.isSafeInteger(value) && value >= least && value <= DAY_MS) continue;
    throw new AisecError('CONFIG_INVALID', `createCache: ${name} is ${value}`, {
      hint: `It is a whole number from ${least} to ${DAY_MS}.`,
    });
  }
}

/**
 * A cache of system_settings, user_preferences and assistants: in this process, and in Redis where one is configured. A
 * row is loaded once however many ask for it at the same time, by its owner under row-level security, and kept until
 * the database says that it has changed (triggers notify_cache_…). How a stale row is kept from coming back is described at
 * `TieredCache` and `Membership`, and in docs/client.md.
 *
 * Returns at once and connects in the background; until then, and whenever the database cannot be heard, every read goes to
 * the database. Inside of `withUser` it reads what is committed, not what the transaction has written.
 *
 * @throws AisecError CONFIG_INVALID, DATABASE_NOT_CONFIGURED.
 */
export function createCache(options: CacheOptions = {}): Cache {
  checkOptions('createCache', options, OPTIONS, 'CONFIG_INVALID');
  const { url, schema, extensionSchema, listenUrl, redisUrl, role, onProblem, ...given } = options;
  const settings = { ...DEFAULTS, ...given };
  checkNumbers(settings);
  const tierSettings: TierSettings = { ...settings, role, onProblem: onProblem ?? (() => undefined) };
  const db = createDatabase<DB>({
    url,
    schema,
    extensionSchema,
    applicationName: 'aisec cache',
    poolSize: 2,
    maxOverflow: 4,
  });
  const named = resolveServiceTarget(listenUrl ?? url);
  const target =
    schema === undefined ? named : inSchema(named, { schema, extensionSchema: extensionSchema ?? 'public' });
  const cache = new TieredCache(db, target, resolveServiceRedis(redisUrl), tierSettings);
  cache.start();
  return {
    ...cacheReads((query) => cache.read(query)),
    sync: () => cache.sync(),
    ready: (timeoutMs = 5000) => cache.ready(timeoutMs),
    status: () => cache.status,
    close: () => cache.close(),
  };
}
