import type pg from 'pg';

import { quoteIdentifier } from '../../base/identifier.js';
import type { OpenOptions } from './open-options.js';

/** The session search_path: the platform's schema, then the extensions', and pg_temp last so that it shadows nothing. */
export function searchPath(schema: string, extensionSchema: string): string {
  const schemas = schema === extensionSchema ? [schema] : [schema, extensionSchema];
  return [...schemas.map(quoteIdentifier), 'pg_temp'].join(', ');
}

function settings(kind: 'server' | 'embedded', options: OpenOptions): Readonly<Record<string, string>> {
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

/** Applies the session settings and reads who answers, in one round trip. */
export async function identifySession(
  client: pg.Client,
  kind: 'server' | 'embedded',
  options: OpenOptions,
): Promise<{ readonly pid: number; readonly serverVersion: number }> {
  const entries = Object.entries(settings(kind, options));
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
