import { Kysely, type KyselyConfig } from 'kysely';

import { describeServer, translateConnectError } from '../adapters/postgres/connect-error.js';
import type { ServerAddress } from '../adapters/postgres/pool/observer.js';
import { createPool, schemaLost, type PoolOptions } from '../adapters/postgres/pool/pool.js';
import type { ReplicaOptions } from '../adapters/postgres/pool/replicas.js';
import { PoolDialect } from '../adapters/postgres/pool/pool-dialect.js';
import { AisecError, messageOf } from '../base/errors.js';
import type { ServerTarget } from '../config/database-target.js';
import { inSchema, searchPathOf } from '../config/in-schema.js';
import { resolveServiceReplica, resolveServiceTarget } from '../config/connection/service-target.js';
import type { DB } from '../schema/index.js';
import { checkOptions } from './check-arguments.js';

export interface DatabaseOptions extends Pick<KyselyConfig, 'log' | 'plugins'> {
  /** `postgres://user@host:5432/database`. Default: DATABASE_URL, AISEC_DATABASE_URL_FILE, or libpq's variables and files. */
  readonly url?: string | undefined;
  /**
   * The schema that the platform lives in, such as that of one tenant: nothing else is in the search_path but
   * `extensionSchema`. Not for a pooler, whose sessions do not keep it: there the role has to have the search_path.
   * Default: as the role or the URL has it.
   */
  readonly schema?: string | undefined;
  /** Of vector and pgcrypto, where `schema` is given. Default: `public`. */
  readonly extensionSchema?: string | undefined;
  /**
   * Standby servers, to which `withUser` sends what is read only (`isReadOnly`), each in its turn: as soon as they have
   * replayed what the user wrote. What a URL leaves open is as in `url`. Each has a pool of its own, as large as the main one.
   */
  readonly replicaUrls?: readonly string[];
  /** How long a read waits for a replica to replay the user's own writes, before the primary serves it. Default: 20 ms. */
  readonly replicaWaitMs?: number;
  /** As shown in pg_stat_activity. Default: `ai_secretary_platform`. */
  readonly applicationName?: string;
  /** Connections that stay open. Default: 20. They count for each process of a service. */
  readonly poolSize?: number;
  /** Further connections in a rush. Default: 30. */
  readonly maxOverflow?: number;
  /** How long to wait for a connection. Default: 30 s. */
  readonly connectTimeoutMs?: number;
  /** Age at which a connection is replaced. Default: one hour. */
  readonly recycleAfterMs?: number;
  /** A connection that was idle for longer is asked whether it still answers. Default: 5 s; 0 asks each time. */
  readonly prePingAfterMs?: number;
  /** Called when an idle connection breaks (a restart of the server, say). The pool replaces it by itself. */
  readonly onConnectionError?: (error: Error) => void;
}

const OPTIONS: Readonly<Record<keyof DatabaseOptions, true>> = {
  url: true,
  schema: true,
  extensionSchema: true,
  replicaUrls: true,
  replicaWaitMs: true,
  applicationName: true,
  poolSize: true,
  maxOverflow: true,
  connectTimeoutMs: true,
  recycleAfterMs: true,
  prePingAfterMs: true,
  onConnectionError: true,
  log: true,
  plugins: true,
};

const DEFAULTS = {
  applicationName: 'ai_secretary_platform',
  poolSize: 20,
  maxOverflow: 30,
  connectTimeoutMs: 30_000,
  recycleAfterMs: 3_600_000,
  prePingAfterMs: 5000,
  replicaWaitMs: 20,
};

type Numbers = 'poolSize' | 'maxOverflow' | 'connectTimeoutMs' | 'recycleAfterMs' | 'prePingAfterMs' | 'replicaWaitMs';
const LEAST: Readonly<Record<Numbers, number>> = {
  poolSize: 1,
  maxOverflow: 0,
  connectTimeoutMs: 1,
  recycleAfterMs: 1000,
  prePingAfterMs: 0,
  replicaWaitMs: 0,
};

/** The primary is there for what a replica does not serve at once. */
const REPLICA_CONNECT_TIMEOUT_MS = 1000;

function addressOf({ connection: { host, port, database } }: ServerTarget): ServerAddress {
  return { host, port: Number(port), database };
}

type Settings = Omit<PoolOptions, 'onServer'>;

/** An address that follows the pool, where that goes over to another server. */
function poolOf(target: ServerTarget, settings: Settings): Pick<ReplicaOptions, 'address' | 'createPool'> {
  const address = addressOf(target);
  const onServer = (server: ServerTarget): void => void Object.assign(address, addressOf(server));
  return { address, createPool: () => createPool(target, { ...settings, onServer }) };
}

function checkNumbers(options: Readonly<Record<Numbers, number>>): void {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = options[name as Numbers];
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 31) continue;
    throw new AisecError('CONFIG_INVALID', `createDatabase: ${name} is ${value}`, {
      hint: `It is a whole number from ${least} on.`,
    });
  }
}

type ConnectSettings = typeof DEFAULTS & { readonly searchPath: string | undefined };

function connectError(error: unknown, target: ServerTarget, options: ConnectSettings): AisecError {
  if (error instanceof AisecError) return error;
  if (/timeout exceeded when trying to connect/.test(messageOf(error))) {
    const size = options.poolSize + options.maxOverflow;
    return new AisecError(
      'DATABASE_UNREACHABLE',
      `no connection to ${describeServer(target)} became free within ${options.connectTimeoutMs} ms`,
      {
        detail: `All ${size} connections of the pool are in use.`,
        hint: 'Look for transactions that wait for something slow, such as a model; or raise poolSize.',
        cause: error,
      },
    );
  }
  const translated = translateConnectError(error, target);
  // The pooler refuses the parameter of the connection that sets the schema.
  const isForSchema = translated.code === 'DATABASE_POOLED' && options.searchPath !== undefined;
  return isForSchema ? schemaLost(options.searchPath) : translated;
}

/**
 * A Kysely database over a pool of connections, with these limits: 20 connections and 30 in a rush, asked
 * whether they still answer after a while without work, replaced after an hour, in UTC. Connects at the first query;
 * `db.destroy()` waits for running queries and closes all (`closeDatabase` has a limit for that). `vector` columns come as number[], numeric and bigint as
 * string, timestamptz as Date.
 *
 * A connection that cannot be had is an AisecError (DATABASE_UNREACHABLE, DATABASE_AUTH ...). What a query fails with is
 * node-postgres's own error, with the SQLSTATE in `code`.
 *
 * @throws AisecError CONFIG_INVALID, DATABASE_NOT_CONFIGURED.
 */
export function createDatabase<Tables = DB>(options: DatabaseOptions = {}): Kysely<Tables> {
  checkOptions('createDatabase', options, OPTIONS, 'CONFIG_INVALID');
  const { url, schema, extensionSchema, replicaUrls = [], onConnectionError, log, plugins, ...given } = options;
  checkNumbers({ ...DEFAULTS, ...given });
  if (schema === undefined && extensionSchema !== undefined)
    throw new AisecError('CONFIG_INVALID', 'createDatabase: extensionSchema was given without schema', {
      hint: 'Give both, or neither.',
    });
  const wanted = schema === undefined ? undefined : { schema, extensionSchema: extensionSchema ?? 'public' };
  const searchPath = wanted === undefined ? undefined : searchPathOf(wanted);
  const settings = { ...DEFAULTS, ...given, searchPath };
  const named = resolveServiceTarget(url);
  const target = wanted === undefined ? named : inSchema(named, wanted);
  const onError = onConnectionError ?? (() => undefined);
  const replicas = replicaUrls.map((replicaUrl) => resolveServiceReplica(replicaUrl, target));
  const connectTimeoutMs = Math.min(settings.connectTimeoutMs, REPLICA_CONNECT_TIMEOUT_MS);
  const { prePingAfterMs } = settings;
  const dialect = new PoolDialect({
    ...poolOf(target, { ...settings, onError }),
    max: settings.poolSize + settings.maxOverflow,
    replicas: replicas.map((replica) => ({
      ...poolOf(replica, { ...settings, connectTimeoutMs, onError }),
      prePingAfterMs,
    })),
    replicaWaitMs: settings.replicaWaitMs,
    prePingAfterMs,
    translateConnectError: (error) => connectError(error, target, settings),
  });
  return new Kysely<Tables>({ dialect, ...(log !== undefined && { log }), ...(plugins !== undefined && { plugins }) });
}
