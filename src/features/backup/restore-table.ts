import type { ServerAccess } from './access.js';
import { compareRows } from './verify/compare-rows.js';
import { lostColumns } from './verify/lost-columns.js';
import { ErasedUsers } from './erasures/erasure-record.js';
import { loadTable, type DanglingRule } from './restore/load-table.js';
import { restoreFinding } from './restore/findings.js';
import { selectTable, tocName, type LeftOut, type TableName, type TableSelection } from './restore/table-selection.js';
import { canBeSeen, readTargetObjects } from './restore/target-objects.js';
import { withoutMovedMonths } from './rows/moved-months.js';
import { described, namedInSql, nameIn, qualified, schemaOf, type TocEntry } from './contents/toc.js';
import type { Session } from '../../adapters/postgres/session.js';
import { boundedName } from '../../base/bounded-name.js';
import { AisecError } from '../../base/errors.js';
import type { Finding } from '../../base/finding.js';
import { quotedTable, quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import type { RestorableBackup } from './contents/restorable-backup.js';
import { restorePart, rowsWithout, unknownInBackup, type PartRestoreOptions } from './restore/restore-part.js';
import { shellQuoted, shellWord } from '../../base/package/aisec-command.js';

export interface TableRestoreOptions extends PartRestoreOptions {
  readonly table: TableName;
  readonly dangling: DanglingRule;
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
  /** What leaned on the tables and comes back with them: policies and keys of other tables, views, functions. */
  readonly leaning: readonly string[];
  /** What leaned on the tables, comes back neither with them nor with another table, or could not be seen: exit 3. */
  readonly missing: readonly string[];
  /** How many of each kind: `policy`, `index` … */
  readonly parts: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly rows: number;
  readonly durationMs: number;
}

/** Objects of the archive that the database has already: the restore would fail on them. */
function namesInUse(selection: TableSelection, isInTarget: (entry: TocEntry) => boolean): readonly Finding[] {
  const there = selection.tables.filter(isInTarget);
  const tables = there.map(qualified);
  const [first] = there;
  if (first !== undefined)
    return [
      restoreFinding('exists', qualified(first), {
        message: `${tables.join(', ')} ${tables.length === 1 ? 'exists' : 'exist'} already`,
        impact: `a table is restored only where it is missing; --rows ${shellQuoted(`${namedInSql(first)} where true`)} restores the rows that it lacks, and --as NAME all of it beside, to copy from there`,
      }),
    ];
  return selection.entries.flatMap((entry): readonly Finding[] => {
    const object = described(entry);
    if (isInTarget(entry))
      return [
        restoreFinding('exists', object, {
          message: `${object} exists already`,
          impact: 'the restored table needs the name; rename or drop it; a table that was renamed may have left it',
        }),
      ];
    // A primary key, say, is an index of that name, too, which another table may have by now.
    if (entry.kind !== 'CONSTRAINT') return [];
    const table = selection.tables.find((each) => entry.description.startsWith(`${nameIn(each)} `));
    if (table === undefined) return [];
    const schema = schemaOf(table);
    const index = `${schema} ${entry.description.slice(nameIn(table).length + 1)}`;
    if (!isInTarget({ ...entry, kind: 'INDEX', description: index })) return [];
    const bare = nameIn({ ...entry, description: index }).slice(schema.length + 1);
    const name = `${quoteIdentifier(schema)}.${quoteIdentifier(bare)}`;
    return [
      restoreFinding('index-name', name, {
        message: `index ${name} of another table has the name that ${object} needs`,
        impact: 'two indexes of a schema cannot have one name',
        fix: `alter index ${name} rename to ${quoteIdentifier(boundedName(bare, { suffix: '_old' }))};`,
      }),
    ];
  });
}

interface LeftText {
  readonly warnings: readonly string[];
  /** What stays lost until it is made again. */
  readonly missing: readonly string[];
}

/** A present object that the archive has alike is no news, and a table that is there with all its columns is none either. */
async function describeLeft(session: Session, backup: RestorableBackup, left: LeftOut): Promise<LeftText> {
  const { entry, reason, lacks } = left;
  const what = described(entry);
  switch (reason) {
    case 'needs': {
      const how =
        lacks === entry || lacks === undefined
          ? ': give --table for it'
          : `: it needs ${described(lacks)}, which is missing`;
      return { warnings: [`${what} is missing, too, and is not restored with the table${how}`], missing: [] };
    }
    case 'unknown':
      return {
        warnings: [`${what} leaned on the table; see whether it is there, and else make it again`],
        missing: [what],
      };
    case 'there':
      return { warnings: [`${what} is there and stays as it is; it may refer to another table by now`], missing: [] };
    case 'inline': {
      const columns = await lostColumns(session, backup, entry);
      if (columns === undefined)
        return {
          warnings: [`${what} is there and leaned on the table in its columns; see whether it has them all`],
          missing: [what],
        };
      return {
        warnings: columns.map(
          ({ name, type }) =>
            `column ${quoteIdentifier(name)} of ${what} is missing, too, and is not restored with the table: alter table ${namedInSql(entry)} add column ${quoteIdentifier(name)} ${type}; its values are in the backup: --table ${shellWord(namedInSql(entry))} --as NAME`,
        ),
        missing: columns.map(({ name }) => `column ${quoteIdentifier(name)} of ${what}`),
      };
    }
  }
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
  return selection.rowSecurity.map(nameIn).filter((name) => !secured.has(name));
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
  const startedMs = performance.now();
  const { table, erasures, isDryRun } = options;
  const moved: string[] = [];
  return restorePart(
    access,
    session,
    given,
    options,
    reporting,
    async (backup, isInTarget) => {
      const here = await withoutMovedMonths(session, backup.toc.entries, table);
      const selection = selectTable(here.entries, table, isInTarget);
      if (selection === undefined)
        throw unknownInBackup(backup, `table ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`);
      moved.push(...here.warnings);
      return { selection, findings: namesInUse(selection, isInTarget) };
    },
    async ({ backup, selection, warnings, records }) => {
      const tables = selection.tables.map(qualified);
      const expected = backup.rows.filter((each) => selection.tables.some((entry) => nameIn(entry) === tocName(each)));
      const erased = { schema: erasures.schema, users: new ErasedUsers(records) };
      const { onProgress } = reporting;
      const left: LeftText[] = [];
      for (const each of selection.left) left.push(await describeLeft(session, backup, each));
      const loaded = await loadTable(access, backup, selection, { ...options, erased, onProgress });
      const wanted = rowsWithout(expected, loaded.leftOut);
      if (!isDryRun) await checkTable(session, selection, tables, wanted, reporting);
      return {
        mode: 'table',
        file: given,
        database: session.info.databaseName,
        isDryRun,
        tables,
        prerequisites: selection.prerequisites.map(described),
        leaning: selection.leaning.map(described),
        missing: left.flatMap(({ missing }) => missing),
        parts: partsOf(selection),
        warnings: [...moved, ...warnings, ...left.flatMap((each) => each.warnings), ...loaded.warnings],
        rows: wanted.reduce((sum, { rows }) => sum + rows, 0),
        durationMs: Math.round(performance.now() - startedMs),
      };
    },
  );
}

/** Compares what was restored with the backup. @throws AisecError RESTORE_FAILED. */
export async function checkTable(
  session: Session,
  selection: TableSelection,
  tables: readonly string[],
  expected: RestorableBackup['rows'],
  { onProgress }: Reporting,
): Promise<void> {
  const open = await openTables(session, selection);
  const isThere = await readTargetObjects(session);
  const lost = selection.entries.filter((entry) => canBeSeen(entry) && !isThere(entry));
  const faults = await compareRows(session, expected, onProgress);
  if (open.length === 0 && lost.length === 0 && faults.length === 0) {
    for (const table of expected) await session.query(`analyze ${quotedTable(table)}`);
    return;
  }
  throw new AisecError('RESTORE_FAILED', `what was restored of ${tables.join(', ')} is not what was backed up`, {
    detail: [
      ...open.map((table) => `row-level security of ${table} is off`),
      ...lost.map((entry) => `${described(entry)} is missing`),
      ...faults,
    ].join('\n  '),
    hint: 'Drop what was restored, and restore another backup.',
  });
}
