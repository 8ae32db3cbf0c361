import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import type { Finding } from '../../base/finding.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import type { ServerAccess } from './access.js';
import { readBackup } from './contents/read-backup.js';
import type { RestorableBackup } from './contents/restorable-backup.js';
import { qualified } from './contents/toc.js';
import { ErasedUsers } from './erasures/erasure-record.js';
import { gatherErasures, type ErasureSource } from './erasures/gather.js';
import { beforeName } from './restore/database/database-names.js';
import { refuseRestore, restoreFinding } from './restore/findings.js';
import type { LeftOutKinds } from './restore/left-out-kinds.js';
import { loadTable, type DanglingRule } from './restore/load-table.js';
import { readPreflight } from './restore/preflight.js';
import { withRestoreLock } from './restore/restore-lock.js';
import { selectSchema } from './restore/schema-selection.js';
import { tocName, type TableSelection } from './restore/table-selection.js';
import { readTargetObjects } from './restore/target-objects.js';
import { checkTable } from './restore-table.js';
import { withLocalBackup, type BackupSource } from './store/local-backup.js';

export interface SchemaRestoreOptions extends LeftOutKinds {
  readonly schema: string;
  /** Takes an archive without a manifest, reading all of it instead. */
  readonly withoutManifest: boolean;
  readonly source: BackupSource;
  readonly dangling: DanglingRule;
  readonly erasures: ErasureSource;
  /** Statements of the caller that are committed together with the schema. */
  readonly afterwards: readonly string[];
  readonly waitMs: number;
  readonly isDryRun: boolean;
}

export interface SchemaRestoreResult {
  readonly file: string;
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** With their partitions. */
  readonly tables: number;
  readonly rows: number;
  readonly warnings: readonly string[];
}

/** What is there stays: the schema in the backup is older than what was written since. */
async function schemaFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  const { rowCount } = await session.query(sqlFile('backup/names-in-schema'), [schema]);
  if (rowCount === 0) return [];
  const name = quoteIdentifier(schema);
  return [
    restoreFinding('exists', name, {
      message: `schema ${name} is there, with ${rowCount} relations and types`,
      impact:
        'a schema is restored where it is missing, and nothing that is there is changed; keep it under another name',
      fix: `alter schema ${name} rename to ${quoteIdentifier(beforeName(schema, new Date()))};`,
    }),
  ];
}

/** Those that something in the schema depends on: a tenant of Citus does not need Citus. */
function extensionsFor(
  { toc, extensions }: RestorableBackup,
  { entries }: TableSelection,
): RestorableBackup['extensions'] {
  const needed = new Set(entries.flatMap(({ dependsOn }) => dependsOn));
  const names = toc.entries
    .filter(({ kind, dumpId }) => kind === 'EXTENSION' && needed.has(dumpId))
    .map(({ description }) => description.replace(/^- /, '').trim());
  return extensions.filter(({ name }) => names.includes(name));
}

/**
 * Restores one schema of a backup into the database the session is on, in one transaction; the others are left alone.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError RESTORE_BLOCKED before anything is touched, also when the schema is there; RESTORE_FAILED; BACKUP_UNKNOWN
 *   for a schema that the backup does not have.
 */
export async function restoreSchema(
  access: ServerAccess,
  session: Session,
  given: string,
  options: SchemaRestoreOptions,
  reporting: Reporting,
): Promise<SchemaRestoreResult> {
  const { schema, source, withoutManifest, isDryRun, waitMs } = options;
  const { onProgress } = reporting;
  const { databaseName } = session.info;
  const local = {
    ...source,
    withoutManifest,
    environment: access.places.environment,
    signal: access.signal,
    onProgress,
  };
  return withLocalBackup(given, local, async (file) => {
    const backup = await readBackup(access, file, { withoutManifest, onProgress });
    return withRestoreLock(session, databaseName, { waitMs, onProgress }, async () => {
      const selection = selectSchema(backup.toc.entries, schema, await readTargetObjects(session));
      if (selection === undefined)
        throw new AisecError('BACKUP_UNKNOWN', `the backup has no schema ${quoteIdentifier(schema)} with tables`, {
          hint: `See what it has: pg_restore --list ${backup.file}`,
        });
      const needs = { ...backup, extensions: extensionsFor(backup, selection) };
      const preflight = await readPreflight(access, session, needs, {
        roles: 'none',
        withoutOwners: options.withoutOwners,
        withoutPrivileges: options.withoutPrivileges,
        createsDatabase: false,
      });
      refuseRestore(
        [...(await schemaFindings(session, schema)), ...preflight.findings],
        `database ${quoteIdentifier(databaseName)}`,
      );
      const { records } = await gatherErasures(
        access,
        given,
        { ...source, ...options.erasures },
        (use) => use(session),
        reporting.onWarning,
      );
      const erased = { schema, users: new ErasedUsers(records) };
      const loaded = await loadTable(access, backup, selection, { ...options, erased, onProgress });
      const wanted = backup.rows
        .filter((each) => each.schema === schema)
        .map((each) => ({ ...each, rows: each.rows - (loaded.leftOut.get(tocName(each)) ?? 0) }));
      if (!isDryRun) await checkTable(session, selection, selection.tables.map(qualified), wanted, reporting);
      return {
        file: given,
        database: databaseName,
        schema,
        isDryRun,
        tables: selection.tables.length,
        rows: wanted.reduce((sum, { rows }) => sum + rows, 0),
        warnings: [...preflight.warnings, ...loaded.warnings],
      };
    });
  });
}
