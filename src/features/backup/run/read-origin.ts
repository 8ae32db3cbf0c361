import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import type { BackupOrigin } from '../catalog/origin.js';
import { mayExecute } from './standby-lag.js';

const OF_THIS_MACHINE = /^(?:localhost|127\.[\d.]+|::1|[/@].*|)$/;

/** The same for a socket and a loopback address. */
function addressOf({ host, port }: { readonly host: string; readonly port: string }): string {
  return `${OF_THIS_MACHINE.test(host) ? hostname() : host}:${port}`;
}

/** Null where the role may not read it, as on some managed servers. */
export async function serverOrigin(
  session: Session,
  { host, target }: Pick<ServerAccess, 'host' | 'target'>,
): Promise<BackupOrigin | null> {
  if (!(await mayExecute(session, 'pg_catalog.pg_control_system()'))) return null;
  const { rows } = await session.query<{ id: string; oid: string }>(
    `select system_identifier::text as id, pg_database.oid::text as oid
     from pg_catalog.pg_control_system(), pg_catalog.pg_database
     where datname = pg_catalog.current_database()`,
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    id: `server ${row.id}`,
    label: host,
    address: addressOf(target.connection),
    databaseOid: Number(row.oid),
  };
}

/**
 * All embedded databases have one name, and may come from one template: each gets an id of its own in a file beside it,
 * which no backup takes along. Null where there is no database yet, or that file cannot be made.
 */
export async function embeddedOrigin(dataDir: string): Promise<BackupOrigin | null> {
  if (!existsSync(dataDir)) return null;
  const file = `${dataDir}.id`;
  try {
    await writeFile(file, `${randomUUID()}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return null;
  }
  return knownEmbeddedOrigin(dataDir);
}

/** Makes none. */
export async function knownEmbeddedOrigin(dataDir: string): Promise<BackupOrigin | null> {
  const id = (await readFile(`${dataDir}.id`, 'utf8').catch(() => '')).trim();
  return id === '' ? null : { id: `embedded ${id}`, label: dataDir };
}
