import pg from 'pg';
import { registerTypes } from 'pgvector/pg';

import type { ServerTarget } from '../../../config/database-target.js';
import { clientClass } from '../login/channel-binding.js';
import { CLIENT_SQL } from '../client-sql.js';
import { findTls } from '../server.js';
import { notesOf } from './connection-notes.js';

export interface PoolOptions {
  readonly applicationName: string;
  /** Kept open when idle. */
  readonly poolSize: number;
  /** More than that in a rush; closed after a second without work. */
  readonly maxOverflow: number;
  /** How long a caller waits for a connection, whether for a free one or for a new one. */
  readonly connectTimeoutMs: number;
  /** A connection older than this is replaced when it is idle. */
  readonly recycleAfterMs: number;
  /** Called with what broke an idle connection; without a listener Node would end the process. */
  readonly onError: (error: Error) => void;
}

const OVERFLOW_IDLE_MS = 1000;
/** The operating system's default is two hours. */
const KEEP_ALIVE_AFTER_MS = 30_000;

interface ConnectionFacts {
  readonly pid: number;
  readonly application_name: string;
  readonly has_vector: boolean;
  readonly takes_session_locks: boolean;
}

/**
 * UTC for every session, and vectors as number[]. Two round trips a new connection; a pooler in transaction mode keeps
 * track of the time zone (https://www.pgbouncer.org/config.html#track_extra_parameters).
 */
export async function prepareConnection(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<ConnectionFacts>(CLIENT_SQL['connection-facts']);
  const [facts] = rows;
  if (facts === undefined) throw new Error('the server did not say who it is');
  Object.assign(notesOf(client), {
    isPooled: facts.pid !== (client as unknown as { readonly processID: number | null }).processID,
    takesSessionLocks: facts.takes_session_locks,
    applicationName: facts.application_name,
  });
  // registerTypes throws before the extension is there, and a service may start before its database is migrated.
  if (facts.has_vector) await registerTypes(client);
}

/**
 * A pool of node-postgres with SQLAlchemy's meaning of pool_size, max_overflow, pool_timeout and pool_recycle.
 * pool_pre_ping is the business of `PoolDriver`.
 *
 * @throws AisecError CONFIG_INVALID for certificate files that cannot be read.
 */
export async function createPool(target: ServerTarget, options: PoolOptions): Promise<pg.Pool> {
  const { host, port, user, password, database, options: serverOptions } = target.connection;
  const pool = new pg.Pool({
    host,
    port: Number(port),
    user,
    database,
    // A function, so that the driver does not look for a password elsewhere, and none shows up in a dump of the pool.
    password: () => password ?? '',
    ssl: await findTls(target, options.applicationName),
    application_name: options.applicationName,
    Client: clientClass(target.connection.channelBinding),
    ...(serverOptions !== undefined && { options: serverOptions }),
    min: options.poolSize,
    max: options.poolSize + options.maxOverflow,
    idleTimeoutMillis: OVERFLOW_IDLE_MS,
    connectionTimeoutMillis: options.connectTimeoutMs,
    maxLifetimeSeconds: options.recycleAfterMs / 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    // The pool waits for what it returns, whatever its type says.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: prepareConnection,
  });
  pool.on('error', options.onError);
  return pool;
}
