import type { Finding } from '../../base/finding.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { ServerAccess } from './access.js';
import { selectCopy } from './beside/copy-selection.js';
import { loadBeside, type CopiedTable } from './beside/load-beside.js';
import { described } from './contents/toc.js';
import { restoreFinding } from './restore/findings.js';
import { missingLargeObjects } from './rows/large-objects.js';
import { restorePart, unknownInBackup, type PartRestoreOptions } from './restore/restore-part.js';
import type { TableName } from './restore/table-selection.js';

export interface BesideRestoreOptions extends PartRestoreOptions {
  readonly table: TableName;
  readonly as: TableName;
}

export interface BesideRestoreResult {
  readonly mode: 'beside';
  readonly file: string;
  readonly database: string;
  readonly isDryRun: boolean;
  /** With schema. */
  readonly table: string;
  readonly as: string;
  /** The table and its partitions: the name in the backup, that of the copy, and its own rows. */
  readonly tables: readonly CopiedTable[];
  /** What was missing and the table needs: types, functions. */
  readonly prerequisites: readonly string[];
  /** What the table had and the copy has not: triggers, rules, foreign keys to other tables. */
  readonly leftOut: readonly string[];
  readonly warnings: readonly string[];
  readonly rows: number;
  readonly durationMs: number;
}

function qualified({ schema, name }: TableName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

interface PrivilegesRow {
  readonly role_name: string;
  readonly may_create_schemas: boolean;
  readonly may_create_in_schema: boolean | null;
}

async function findingsFor(session: Session, as: TableName): Promise<readonly Finding[]> {
  const [privileges] = (await session.query<PrivilegesRow>(sqlFile('backup/schema-privileges'), [as.schema])).rows;
  const names = await session.query<{ name: string }>(sqlFile('backup/names-in-schema'), [as.schema]);
  const [schema, database] = [quoteIdentifier(as.schema), quoteIdentifier(session.info.databaseName)];
  const found: Finding[] = [];
  if (privileges?.may_create_schemas !== true)
    found.push(
      restoreFinding('create', database, {
        message: `this role may not create schemas in database ${database}`,
        impact: 'the copy is made in a schema of its own first',
        fix: `grant create on database ${database} to ${quoteIdentifier(privileges?.role_name ?? '')};`,
      }),
    );
  if (privileges?.may_create_in_schema === null)
    found.push(
      restoreFinding('schema', schema, {
        message: `schema ${schema} does not exist`,
        impact: 'the copy is to be there',
        fix: `create schema ${schema};`,
      }),
    );
  if (privileges?.may_create_in_schema === false)
    found.push(
      restoreFinding('create', schema, {
        message: `this role may not create tables in schema ${schema}`,
        impact: 'the copy is to be there; give another schema: --as SCHEMA.NAME',
      }),
    );
  if (names.rows.some(({ name }) => name === as.name))
    found.push(
      restoreFinding('exists', qualified(as), {
        message: `${qualified(as)} exists already`,
        impact: 'a copy is made beside what is there; give --as another name, or drop what has it',
      }),
    );
  return found;
}

/**
 * Restores a table of a backup beside the present one, under another name, with partitions, keys, indexes, row-level
 * security, policies and grants; nothing that is there is locked or changed.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError RESTORE_BLOCKED before anything is touched; RESTORE_FAILED; BACKUP_UNKNOWN for a table that the backup
 *   does not have.
 */
export async function restoreTableBeside(
  access: ServerAccess,
  session: Session,
  given: string,
  options: BesideRestoreOptions,
  reporting: Reporting,
): Promise<BesideRestoreResult> {
  const startedMs = performance.now();
  const { table, as, isDryRun } = options;
  return restorePart(
    access,
    session,
    given,
    options,
    // The copy is as the backup has it, whatever is on record.
    { ...reporting, onWarning: () => undefined },
    async (backup, isInTarget) => {
      const selection = selectCopy(backup.toc.entries, table, isInTarget);
      if (selection === undefined) throw unknownInBackup(backup, `table ${qualified(table)}`);
      return { selection, findings: await findingsFor(session, as) };
    },
    async ({ backup, selection, warnings, records }) => {
      const { onProgress } = reporting;
      const tables = await loadBeside(access, backup, selection, { ...options, onProgress });
      const copies = tables.map((copy) => qualified({ schema: as.schema, name: copy.as }));
      const lacking = isDryRun
        ? []
        : await missingLargeObjects(
            session,
            backup.toc.entries,
            copies.map((name) => ({ name, rows: name })),
          );
      return {
        mode: 'beside',
        file: given,
        database: session.info.databaseName,
        isDryRun,
        table: `${table.schema}.${table.name}`,
        as: `${as.schema}.${as.name}`,
        tables,
        prerequisites: selection.prerequisites.map(described),
        leftOut: selection.leftOut.map(described),
        warnings: [
          ...warnings,
          ...lacking,
          ...(records.length === 0
            ? []
            : [
                'the copy is as the backup has it: it may hold people who were erased since, so drop it when it has served',
              ]),
        ],
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
        durationMs: Math.round(performance.now() - startedMs),
      };
    },
  );
}
