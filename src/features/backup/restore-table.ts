import type { ServerAccess } from './access.js';
import { compareRows } from './verify/compare-rows.js';
import { settingsFor } from './restore/restore-passes.js';
import { refuseObstacles, type Obstacle } from './restore/obstacles.js';
import { withLocalBackup, type BackupSource } from './store/local-backup.js';
import { readBackup } from './contents/read-backup.js';
import { machineOf } from './restore/restore-checked.js';
import { asRestoreFailure, countingLines, withList } from './restore/restore-into.js';
import { withRestoreLock } from './restore/restore-lock.js';
import { selectTable, type TableName, type TableSelection } from './restore/table-selection.js';
import { readTargetObjects } from './restore/target-objects.js';
import type { TocEntry } from './contents/toc.js';
import { serverMajor } from '../../adapters/postgres/server-major.js';
import type { Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import type { RestorableBackup } from './contents/restorable-backup.js';
import { readPreflight } from './restore/preflight.js';

export interface TableRestoreOptions {
  readonly table: TableName;
  /** Takes an archive without a manifest, reading all of it instead. */
  readonly withoutManifest: boolean;
  readonly source: BackupSource;
  readonly withoutOwners: boolean;
  readonly waitMs: number;
  readonly isDryRun: boolean;
}

export interface TableRestoreResult {
  readonly mode: 'table';
  readonly file: string;
  readonly database: string;
  readonly isDryRun: boolean;
  /** With schema: the table, its partitions, and tables it refers to that were missing. */
  readonly tables: readonly string[];
  /** What else was missing: schemas, extensions, types, functions. */
  readonly prerequisites: readonly string[];
  /** How many of each kind: `policy`, `index` … */
  readonly parts: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly rows: number;
  readonly durationMs: number;
}

function qualified(entry: TocEntry): string {
  return entry.description.replace(/ [^ ]*$/, '').replace(' ', '.');
}

function described(entry: TocEntry): string {
  return `${entry.kind.toLowerCase()} ${qualified(entry).replace(/^-\./, '')}`;
}

function partsOf(selection: TableSelection): Readonly<Record<string, number>> {
  const parts: Record<string, number> = {};
  for (const { kind } of selection.entries) {
    const name = kind.toLowerCase();
    parts[name] = (parts[name] ?? 0) + 1;
  }
  return parts;
}

/** Row-level security that the archive has on and the database has not: such a table must not be left. */
async function openTables(session: Session, selection: TableSelection): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `select nspname || ' ' || relname as name
     from pg_catalog.pg_class
     join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
     where relrowsecurity`,
  );
  const secured = new Set(rows.map(({ name }) => name));
  return selection.rowSecurity
    .map(({ description }) => description.replace(/ [^ ]*$/, ''))
    .filter((name) => !secured.has(name));
}

/**
 * Restores one table into the database the session is on, with all that makes it up, in one transaction.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError RESTORE_BLOCKED before anything is touched, also when the table is there; RESTORE_FAILED.
 */
export async function restoreTable(
  access: ServerAccess,
  session: Session,
  given: string,
  options: TableRestoreOptions,
  reporting: Reporting,
): Promise<TableRestoreResult> {
  const { source, withoutManifest } = options;
  const { signal } = access;
  const { environment } = access.places;
  const local = { ...source, withoutManifest, environment, signal, onProgress: reporting.onProgress };
  return withLocalBackup(given, local, async (file) => ({
    ...(await restorePlainTable(access, session, file, options, reporting)),
    file: given,
  }));
}

async function restorePlainTable(
  access: ServerAccess,
  session: Session,
  file: string,
  options: TableRestoreOptions,
  reporting: Reporting,
): Promise<TableRestoreResult> {
  const startedMs = performance.now();
  const { databaseName } = session.info;
  const backup = await readBackup(access, file, { ...options, onProgress: reporting.onProgress });
  return withRestoreLock(
    session,
    databaseName,
    { waitMs: options.waitMs, onProgress: reporting.onProgress },
    async () => {
      const isInTarget = await readTargetObjects(session);
      const selection = selectTable(backup.toc.entries, options.table, isInTarget);
      const name = `${quoteIdentifier(options.table.schema)}.${quoteIdentifier(options.table.name)}`;
      if (selection === undefined)
        throw new AisecError('BACKUP_INVALID', `the backup has no table ${name}`, {
          hint: `See what it has: pg_restore --list ${backup.file}`,
        });
      const preflight = await readPreflight(access, session, backup, {
        roles: 'none',
        withoutOwners: options.withoutOwners,
        createsDatabase: false,
      });
      const there = selection.tables.filter(isInTarget).map(qualified);
      const existing: readonly Obstacle[] =
        there.length === 0
          ? []
          : [
              {
                problem: `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already`,
                mend: 'rename or drop what is there first, or restore the whole backup beside: --create NAME',
              },
            ];
      refuseObstacles([...existing, ...preflight.obstacles], `database ${quoteIdentifier(databaseName)}`);

      const tables = selection.tables.map(qualified);
      const expected = backup.rows.filter(({ schema, table }) => tables.includes(`${schema}.${table}`));
      if (!options.isDryRun) {
        await runTableRestore(access, backup, selection, options, serverMajor(session), reporting);
        await checkTable(session, selection, tables, expected, reporting);
      }
      return {
        mode: 'table',
        file: backup.file,
        database: databaseName,
        isDryRun: options.isDryRun,
        tables,
        prerequisites: selection.prerequisites.map(described),
        parts: partsOf(selection),
        warnings: [
          ...preflight.warnings,
          ...selection.dependants.map(
            (view) => `${described(view)} is missing, too, and was not restored with the table`,
          ),
        ],
        rows: expected.reduce((sum, { rows }) => sum + rows, 0),
        durationMs: Math.round(performance.now() - startedMs),
      };
    },
  );
}

async function runTableRestore(
  access: ServerAccess,
  backup: RestorableBackup,
  selection: TableSelection,
  options: TableRestoreOptions,
  major: number,
  { onProgress }: Reporting,
): Promise<void> {
  const owners = options.withoutOwners ? ['--no-owner', '--no-privileges'] : [];
  await withList(selection.entries, async (list) => {
    try {
      await access.pgRestore({
        archive: backup.file,
        into: { database: access.databaseName, serverMajor: major },
        settings: settingsFor(selection.entries, backup.vectorIndexes, machineOf(access)),
        args: ['--single-transaction', '--verbose', ...owners, `--use-list=${list}`],
        onLine: countingLines(selection.entries.length, onProgress),
      });
    } catch (error) {
      throw asRestoreFailure(error);
    }
  });
}

async function checkTable(
  session: Session,
  selection: TableSelection,
  tables: readonly string[],
  expected: RestorableBackup['rows'],
  { onProgress }: Reporting,
): Promise<void> {
  const open = await openTables(session, selection);
  const faults = await compareRows(session, expected, onProgress);
  if (open.length === 0 && faults.length === 0) {
    for (const { schema, table } of expected)
      await session.query(`analyze ${quoteIdentifier(schema)}.${quoteIdentifier(table)}`);
    return;
  }
  throw new AisecError('RESTORE_FAILED', `what was restored of ${tables.join(', ')} is not what was backed up`, {
    detail: [...open.map((table) => `row-level security of ${table} is off`), ...faults].join('\n  '),
    hint: 'Drop what was restored, and restore another backup.',
  });
}
