import type pg from 'pg';

import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { QUERY_CANCELED, withoutTimeLimit } from './time-limit.js';
import { pinExpression, pinnedSettings, type PinOptions, type SessionSettings } from './pinned-settings.js';

export { searchPath } from './pinned-settings.js';

/**
 * A backend whose client was killed notices within this time, ends its statement and gives its locks back.
 * https://www.postgresql.org/docs/16/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
 */
const WATCHES_ITS_CLIENT: SessionSettings = { client_connection_check_interval: '1000' };

/** What a session on a server has; one on the embedded database has no client to watch. */
export function serverSettings(options: PinOptions): SessionSettings {
  return { ...WATCHES_ITS_CLIENT, ...pinnedSettings(options) };
}

interface Identity {
  readonly pid: number;
  readonly serverVersion: number;
  readonly runsCitus: boolean;
}

async function applySettings(client: pg.Client, wanted: SessionSettings): Promise<Identity> {
  const pin = pinExpression('rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))');
  const result = await client.query<{ pid: number; server_version: number; runs_citus: boolean }>(
    `select pg_catalog.pg_backend_pid() as pid,
            pg_catalog.current_setting('server_version_num')::int as server_version,
            pg_catalog.current_setting('citus.version', true) is not null as runs_citus,
            ${pin} as settings_changed`,
    [Object.keys(wanted), Object.values(wanted)],
  );
  const [row] = result.rows;
  if (row === undefined) throw new Error('the server did not say who it is');
  return { pid: row.pid, serverVersion: row.server_version, runsCitus: row.runs_citus };
}

async function refuseReplicaRole(client: pg.Client, cause: unknown): Promise<never> {
  const { rows } = await client.query<{ role_name: string; value: string }>(
    `select session_user::text as role_name, pg_catalog.current_setting('session_replication_role') as value`,
  );
  const { role_name: role = '', value = '' } = rows[0] ?? {};
  throw new AisecError(
    'PRIVILEGE_MISSING',
    `session_replication_role is "${value}" for role "${role}", and the role may not set it to "origin"`,
    {
      detail: 'Triggers and foreign keys would not be checked, and rows would be lost or wrong.',
      hint: `Let a superuser run: alter role ${quoteIdentifier(role)} reset session_replication_role; (or alter database ... reset, or grant set on parameter session_replication_role to the role)`,
      cause,
    },
  );
}

/**
 * Pins the session settings and reads who answers, in one round trip.
 *
 * @throws AisecError PRIVILEGE_MISSING where triggers are off and the role may not switch them on.
 */
export async function identifySession(
  client: pg.Client,
  kind: 'server' | 'embedded',
  options: PinOptions,
  mayBeTimedOut = true,
): Promise<Identity> {
  const pinned = pinnedSettings(options);
  const wanted = kind === 'server' ? serverSettings(options) : pinned;
  try {
    return await applySettings(client, wanted);
  } catch (error) {
    const { code, message = '' } = error as { code?: string; message?: string };
    if (code === '42501' && message.includes('session_replication_role')) return refuseReplicaRole(client, error);
    if (code === QUERY_CANCELED && mayBeTimedOut) {
      await withoutTimeLimit(client);
      return identifySession(client, kind, options, false);
    }
    // A server on Windows cannot watch its clients and refuses the setting.
    if (code !== '22023' || !message.includes('client_connection_check')) throw error;
    return applySettings(client, pinned);
  }
}
