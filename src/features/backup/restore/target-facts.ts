import { freeBytes } from '../../../adapters/files/space.js';
import { withRollback, type Session } from '../../../adapters/postgres/session.js';
import { endsRun, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
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
  return freeBytes(directory).catch(() => undefined);
}

/** Whether the server runs on this machine, as far as its address shows. */
export function isLocalHost(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/**
 * Whether the server refuses an extension to a role that is no superuser. Providers let such roles create those that they
 * allow, which no catalog shows, so it is tried: nothing of it stays.
 */
async function isRefused(session: Session, name: string): Promise<boolean> {
  try {
    await withRollback(session, () => session.query(`create extension ${quoteIdentifier(name)} cascade`));
    return false;
  } catch (error) {
    if (!isAisecError(error) || endsRun(error)) throw error;
    // Any other reason, such as that it is there already, is one of this database and not of the new one.
    return error.sqlState === '42501';
  }
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
  const refused = new Set<string>();
  if (!server.is_superuser)
    for (const { name, needs_superuser: needsSuperuser } of extensions.rows)
      if (needsSuperuser && (await isRefused(session, name))) refused.add(name);
  return {
    roleName: server.role_name,
    serverMajor: Math.floor(server.server_version / 10_000),
    canCreateDatabases: server.can_create_databases,
    roles: roles.rows.map(({ name, is_usable: isUsable }) => ({ name, isUsable })),
    extensions: extensions.rows.map((row) => ({
      name: row.name,
      defaultVersion: row.default_version,
      versions: row.versions,
      isRefused: refused.has(row.name),
    })),
    freeBytes: await freeBytesOf(server.data_directory, isLocalHost(host)),
  };
}
