import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import type { ServerTarget } from '../../../config/database-target.js';
import { addressConfig, findPlace, type Place } from '../login/connect.js';
import { clientClass } from '../login/demands.js';
import { refuseOtherKindOfServer } from '../login/session-attributes.js';
import { clientSql } from '../client-sql.js';
import { TypeParsers } from '../values/type-parsers.js';
import { notesOf, type ConnectionNotes } from './connection-notes.js';
import { FollowingPool } from './following-pool.js';

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
  /** What every session must have, where it was asked for; a pooler drops it. */
  readonly searchPath?: string | undefined;
  /** Called with what broke an idle connection; without a listener Node would end the process. */
  readonly onError: (error: Error) => void;
  /** Called with the server that the connections lead to, and again when another one of those that are named takes its place. */
  readonly onServer?: (target: ServerTarget) => void;
}

const OVERFLOW_IDLE_MS = 1000;
/** The operating system's default is two hours. */
const KEEP_ALIVE_AFTER_MS = 30_000;

interface ConnectionFacts extends Pick<ConnectionNotes, 'takesSessionLocks' | 'runsCitus' | 'applicationName'> {
  readonly pid: number;
  readonly writesAsWanted: boolean;
  readonly searchPath: string;
}

/** How the connections of one pool read values: for `types` and `onConnect` of node-postgres. */
export interface ConnectionSetUp {
  readonly types: TypeParsers;
  readonly onConnect: (client: pg.ClientBase) => Promise<void>;
}

/** Another schema's rows would be read and written instead. */
export function schemaLost(searchPath: string): AisecError {
  return new AisecError('CONFIG_INVALID', 'the connection goes through a pooler, which does not keep the schema', {
    detail: `createDatabase was given a schema, and its sessions need search_path = ${searchPath}.`,
    hint: 'Connect to the server itself, or leave the schema out and set it for the role: alter role NAME set search_path = …',
  });
}

/**
 * UTC for every session, and values written as our parsers expect them. One round trip a new connection; a pooler in
 * transaction mode keeps track of time zone and DateStyle (https://www.pgbouncer.org/config.html#track_extra_parameters).
 */
export function connectionSetUp(searchPath?: string): ConnectionSetUp {
  const types = new TypeParsers();
  const onConnect = async (client: pg.ClientBase): Promise<void> => {
    const { rows } = await client.query<ConnectionFacts>(clientSql('connection-facts'));
    const [facts] = rows;
    if (facts === undefined) throw new Error('the server did not say who it is');
    const isPooled = facts.pid !== (client as unknown as { readonly processID: number | null }).processID;
    if (searchPath !== undefined && (isPooled || facts.searchPath !== searchPath)) throw schemaLost(searchPath);
    Object.assign(notesOf(client), {
      isPooled,
      needsFormats: isPooled || !facts.writesAsWanted,
      takesSessionLocks: facts.takesSessionLocks,
      runsCitus: facts.runsCitus,
      applicationName: facts.applicationName,
      types,
    });
  };
  return { types, onConnect };
}

/**
 * A pool of node-postgres with SQLAlchemy's meaning of pool_size, max_overflow, pool_timeout and pool_recycle.
 * pool_pre_ping is the business of `PoolDriver`. Of several servers it connects to one, and looks for another one when that
 * gives no connection, or is not any more what target_session_attrs asks for.
 *
 * @throws AisecError CONFIG_INVALID for certificate files that cannot be read.
 */
export async function createPool(target: ServerTarget, options: PoolOptions): Promise<pg.Pool> {
  const { types, onConnect } = connectionSetUp(options.searchPath);
  // prefer-standby is a wish for the choice of a server, none for a connection to it.
  const isNarrow = !['any', 'prefer-standby'].includes(target.connection.targetSessionAttrs ?? 'any');
  const find = async (): Promise<Place> => {
    const place = await findPlace(target, options.applicationName);
    options.onServer?.(place.target);
    return place;
  };
  const pool = new FollowingPool(
    {
      ...addressConfig(await find()),
      application_name: options.applicationName,
      Client: clientClass(target.connection),
      min: options.poolSize,
      max: options.poolSize + options.maxOverflow,
      idleTimeoutMillis: OVERFLOW_IDLE_MS,
      connectionTimeoutMillis: options.connectTimeoutMs,
      maxLifetimeSeconds: options.recycleAfterMs / 1000,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      types,
      // The pool waits for what it returns, whatever its type says.
      // oxlint-disable-next-line typescript/no-misused-promises
      onConnect: async (client: pg.ClientBase): Promise<void> => {
        if (isNarrow) await refuseOtherKindOfServer(client, target);
        await onConnect(client);
      },
    },
    target.servers === undefined ? undefined : async () => addressConfig(await find()),
  );
  pool.on('error', options.onError);
  return pool;
}
