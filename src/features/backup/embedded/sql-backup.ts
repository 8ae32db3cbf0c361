import { existsSync } from 'node:fs';

import { throwIfInterrupted } from '../../../base/interruption.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { readManifest } from '../catalog/manifest.js';
import { globalsName } from '../catalog/names.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { readChecksum, requireSameChecksum } from '../verify/check-checksum.js';
import { loadSql } from './load-sql.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import { dropDatabase } from '../restore/restore-into.js';

/** The oldest that the toolkit works with; the text has nothing that it does not know. */
const OLDEST_MAJOR = 16;

/** Finds out what an SQL backup needs, and that it is whole. @throws AisecError BACKUP_UNKNOWN, BACKUP_INVALID. */
export async function readSqlBackup(file: string, signal: AbortSignal): Promise<RestorableBackup> {
  const { sha256 } = await readChecksum(file, signal);
  const manifest = await readManifest(file);
  requireSameChecksum(file, sha256, manifest.sha256);
  const globals = globalsName(file);
  return {
    file,
    format: 'sql',
    sha256,
    globalsFile: existsSync(globals) ? globals : null,
    serverMajor: OLDEST_MAJOR,
    sizeBytes: manifest.databaseSizeBytes,
    roles: manifest.roles,
    owners: [],
    grantees: [],
    indispensableRoles: manifest.roles,
    extensions: manifest.extensions,
    rows: manifest.rows,
    catalog: manifest.catalog,
    lacks: undefined,
    migration: manifest.migration,
    vectorIndexes: [],
    toc: {
      databaseName: manifest.database,
      serverMajor: manifest.serverMajor,
      toolMajor: manifest.serverMajor,
      entries: [],
    },
  };
}

/**
 * Makes a database, runs an SQL backup in it and analyzes it. When anything fails, the database is dropped again.
 *
 * @throws AisecError RESTORE_FAILED, and as `Session.query`; INTERRUPTED, TERMINATED.
 */
export async function restoreSqlInto(
  access: ServerAccess,
  maintenance: Session,
  name: string,
  { file }: RestorableBackup,
  onProgress: (text: string) => void,
  check: (session: Session) => Promise<void>,
): Promise<void> {
  const { signal } = access;
  await maintenance.query(`create database ${quoteIdentifier(name)} template template0 encoding 'UTF8'`);
  try {
    await access.withDatabase(name, async (session) => {
      await loadSql(session, file, [], { signal, onProgress });
      onProgress('analyzing');
      await session.query('analyze');
      await check(session);
    });
    throwIfInterrupted(signal);
  } catch (error) {
    await dropDatabase(access, maintenance, name);
    throw error;
  }
}
