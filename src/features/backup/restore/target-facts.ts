import { statfs } from 'node:fs/promises';

import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Requirements, TargetFacts } from './findings.js';

interface ServerRow {
  readonly role_name: string;
  readonly server_version: number;
  readonly is_superuser: boolean;
  readonly can_create_databases: boolean;
  readonly data_directory: string | null;
}

interface ExtensionRow {
  readonly name: string;
  readonly default_version: string;
  readonly versions: readonly string[];
  readonly needs_superuser: boolean;
}

/** Free space where the server keeps its data, when that directory can be seen from this machine. */
async function freeBytesOf(directory: string | null, isLocal: boolean): Promise<number | undefined> {
  if (directory === null || !isLocal) return undefined;
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Whether the server runs on this machine, as far as its address shows. */
export function isLocalHost(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Reads what `preflightFindings` compares with the backup's needs. Any role may ask. */
export async function readTargetFacts(session: Session, needs: Requirements, host: string): Promise<TargetFacts> {
  const [server] = (await session.query<ServerRow>(sqlFile('backup/target-server'))).rows;
  if (server === undefined) throw new Error('the server did not say who it is');
  const roles = await session.query<{ name: string; is_usable: boolean }>(sqlFile('backup/usable-roles'), [
    needs.roles,
  ]);
  const extensions = await session.query<ExtensionRow>(sqlFile('backup/extensions'), [
    needs.extensions.map(({ name }) => name),
  ]);
  return {
    roleName: server.role_name,
    serverMajor: Math.floor(server.server_version / 10_000),
    isSuperuser: server.is_superuser,
    canCreateDatabases: server.can_create_databases,
    roles: roles.rows.map(({ name, is_usable: isUsable }) => ({ name, isUsable })),
    extensions: extensions.rows.map((row) => ({
      name: row.name,
      defaultVersion: row.default_version,
      versions: row.versions,
      needsSuperuser: row.needs_superuser,
    })),
    freeBytes: await freeBytesOf(server.data_directory, isLocalHost(host)),
  };
}
