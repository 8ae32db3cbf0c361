import type pg from 'pg';

import { quoteIdentifier } from '../../base/identifier.js';
import type { OpenOptions } from './open-options.js';

/** The session search_path: the platform's schema, then the extensions', and pg_temp last so that it shadows nothing. */
export function searchPath(schema: string, extensionSchema: string): string {
  const schemas = schema === extensionSchema ? [schema] : [schema, extensionSchema];
  return [...schemas.map(quoteIdentifier), 'pg_temp'].join(', ');
}

function settings(
  kind: 'server' | 'embedded',
  options: Omit<OpenOptions, 'embedded'>,
): Readonly<Record<string, string>> {
  const common = {
    search_path: searchPath(options.schema, options.extensionSchema),
    timezone: 'UTC',
    lock_timeout: String(options.lockTimeoutMs),
    statement_timeout: String(options.statementTimeoutMs),
    idle_in_transaction_session_timeout: String(options.idleTimeoutMs),
  };
  // A backend whose client was killed notices within this time, ends its statement and gives its locks back.
  // https://www.postgresql.org/docs/16/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
  return kind === 'server' ? { ...common, client_connection_check_interval: '1000' } : common;
}

interface Identity {
  readonly pid: number;
  readonly serverVersion: number;
}

async function applySettings(client: pg.Client, wanted: Readonly<Record<string, string>>): Promise<Identity> {
  const entries = Object.entries(wanted);
  const calls = entries.map((_, index) => `pg_catalog.set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`);
  const result = await client.query<{ pid: number; server_version: number }>(
    `select pg_catalog.pg_backend_pid() as pid,
            pg_catalog.current_setting('server_version_num')::int as server_version,
            ${calls.join(',\n            ')}`,
    entries.flat(),
  );
  const [row] = result.rows;
  if (row === undefined) throw new Error('the server did not say who it is');
  return { pid: row.pid, serverVersion: row.server_version };
}

/** Applies the session settings and reads who answers, in one round trip. */
export async function identifySession(
  client: pg.Client,
  kind: 'server' | 'embedded',
  options: Omit<OpenOptions, 'embedded'>,
): Promise<Identity> {
  const wanted = settings(kind, options);
  try {
    return await applySettings(client, wanted);
  } catch (error) {
    // A server on Windows cannot watch its clients and refuses the setting, one older than 14 does not know it.
    const { code, message } = error as { code?: string; message?: string };
    if (!['22023', '42704'].includes(code ?? '') || !/client_connection_check/.test(message ?? '')) throw error;
    return applySettings(client, settings('embedded', options));
  }
}
