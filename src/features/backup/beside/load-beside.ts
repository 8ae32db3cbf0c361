import { serverMajor } from '../../../adapters/postgres/server-major.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { withRollback, withTransaction } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { relocate } from '../../../adapters/sql-parser/relocate.js';
import { AisecError } from '../../../base/errors.js';
import { quotedTable, quoteIdentifier } from '../../../base/identifier.js';
import type { ServerAccess } from '../access.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import { bareName, nameIn, schemaOf, type TocEntry } from '../contents/toc.js';
import { countingLines } from '../restore/restore-into.js';
import type { LeftOutKinds } from '../restore/left-out-kinds.js';
import { machineOf } from '../restore/restore-checked.js';
import { settingsFor } from '../restore/restore-passes.js';
import { loadRows, makeObjects, readDefinitions } from '../restore/script.js';
import { tocName, type TableName } from '../restore/table-selection.js';
import { compareRows } from '../verify/compare-rows.js';
import type { CopySelection } from './copy-selection.js';
import { renamed, takeName } from './new-names.js';

export interface BesideOptions extends LeftOutKinds {
  readonly table: TableName;
  readonly as: TableName;
  readonly isDryRun: boolean;
  readonly onProgress: (text: string) => void;
}

/** A table of the copy, with the name that it had. */
export interface CopiedTable {
  readonly name: string;
  readonly as: string;
  readonly rows: number;
}

interface RelationRow {
  readonly oid: string;
  readonly kind: 'table' | 'sequence' | 'index' | 'statistics';
  readonly name: string;
  readonly has_row_security: boolean;
  readonly is_owned: boolean;
}

/** Exists inside of one transaction only, in which everything has the name that the archive gives it. */
const WORKSHOP = 'aisec_restoring';

/** `schema name` of all that the archive makes as a relation with its schema's name. */
function relationsOf({ entries, tables }: CopySelection): ReadonlySet<string> {
  const names = entries.flatMap((entry): readonly string[] => {
    if (['TABLE', 'FOREIGN TABLE', 'SEQUENCE', 'INDEX', 'STATISTICS'].includes(entry.kind)) return [nameIn(entry)];
    if (entry.kind !== 'CONSTRAINT') return [];
    const table = tables.find((each) => entry.description.startsWith(`${nameIn(each)} `));
    if (table === undefined) return [];
    return [`${schemaOf(table)} ${nameIn(entry).slice(nameIn(table).length + 1)}`];
  });
  return new Set(names);
}

async function relationsIn(session: Session): Promise<readonly RelationRow[]> {
  return (await session.query<RelationRow>(sqlFile('backup/relations-of-schema'), [WORKSHOP])).rows;
}

/** A table that inherits is made as a child of the present parent, which would then show the rows of the copy, too. */
async function disinherit(session: Session): Promise<void> {
  const { rows } = await session.query<{ statement: string }>(sqlFile('backup/inherits-from-outside'), [WORKSHOP]);
  for (const { statement } of rows) await session.query(statement);
}

function faultsOf(relations: readonly RelationRow[], rowSecurity: readonly TocEntry[]): readonly string[] {
  const isSecured = new Set(relations.filter((each) => each.has_row_security).map(({ name }) => name));
  return rowSecurity
    .map(bareName)
    .filter((name) => !isSecured.has(name))
    .map((name) => `row-level security of table ${quoteIdentifier(name)} is off`);
}

function passingName(kind: string, oid: string): string {
  return quoteIdentifier(`aisec ${kind} ${oid}`);
}

/** Gives everything in the workshop its new name, and moves it to its schema. Returns the tables' new names by their old ones. */
async function moveOut(session: Session, { table, as }: BesideOptions): Promise<ReadonlyMap<string, string>> {
  const { rows } = await session.query<{ name: string }>(sqlFile('backup/names-in-schema'), [as.schema]);
  const taken = new Set(rows.map(({ name }) => name));
  const names = new Map<string, string>();
  const relations = await relationsIn(session);
  const [inside, target] = [quoteIdentifier(WORKSHOP), quoteIdentifier(as.schema)];
  // The table itself first: it has its name for sure.
  const ordered = relations.toSorted((a, b) => Number(b.name === table.name) - Number(a.name === table.name));
  const renames = new Map(
    ordered.map((each) => [`${each.kind} ${each.oid}`, takeName(renamed(each.name, table.name, as.name), taken)]),
  );
  // By way of a name that nothing has: the new one may be the old one of another.
  for (const { oid, kind, name } of ordered)
    await session.query(`alter ${kind} ${inside}.${quoteIdentifier(name)} rename to ${passingName(kind, oid)}`);
  for (const { oid, kind } of ordered)
    await session.query(
      `alter ${kind} ${inside}.${passingName(kind, oid)} rename to ${quoteIdentifier(renames.get(`${kind} ${oid}`) ?? '')}`,
    );
  for (const { oid, kind, name, is_owned: isOwned } of ordered) {
    if (kind === 'table') names.set(name, renames.get(`${kind} ${oid}`) ?? '');
    if (kind === 'index' || isOwned) continue;
    await session.query(
      `alter ${kind} ${inside}.${quoteIdentifier(renames.get(`${kind} ${oid}`) ?? '')} set schema ${target}`,
    );
  }
  await session.query(`drop schema ${inside}`);
  return names;
}

async function makeAll(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  selection: CopySelection,
  options: BesideOptions,
): Promise<readonly CopiedTable[]> {
  const { onProgress } = options;
  const relocation = { relations: relationsOf(selection), to: WORKSHOP };
  const rewrite = (sql: string): Promise<string> => relocate(sql, relocation);
  const part = {
    ...options,
    archive: backup.file,
    entries: selection.entries,
    serverMajor: serverMajor(session),
  };
  await session.query(`create schema ${quoteIdentifier(WORKSHOP)}`);
  // An owner has to be able to create in the schema of what it gets.
  await session.query(`grant all on schema ${quoteIdentifier(WORKSHOP)} to public`);
  await makeObjects(session, await readDefinitions(access, part, 'pre-data'), rewrite);
  await disinherit(session);
  await loadRows(access, session, part, countingLines(selection.entries.length, onProgress), rewrite);
  onProgress('making indexes, constraints and policies');
  for (const { text } of await readDefinitions(access, part, 'post-data')) await session.query(await rewrite(text));
  const relations = await relationsIn(session);
  const moved = await moveOut(session, options);
  const wanted = backup.rows
    .filter((each) => selection.tables.some((entry) => nameIn(entry) === tocName(each)))
    .map((each) => ({ ...each, as: moved.get(each.table) ?? '' }));
  const copies = wanted.map(({ as, rows }) => ({ schema: options.as.schema, table: as, rows }));
  const faults = [...faultsOf(relations, selection.rowSecurity), ...(await compareRows(session, copies, onProgress))];
  if (faults.length > 0)
    throw new AisecError('RESTORE_FAILED', 'what was restored is not what was backed up', {
      detail: faults.join('\n  '),
      hint: 'No changes were made. Restore another backup.',
    });
  for (const copy of copies) await session.query(`analyze ${quotedTable(copy)}`);
  return [...moved].map(([name, as]) => ({
    name,
    as,
    rows: wanted.find((each) => each.table === name)?.rows ?? 0,
  }));
}

/**
 * Makes a second table like one of the archive in one transaction. It is made in a schema of its own, which the
 * transaction drops again, so that no name is in the way; no table that is there is locked or changed. A dry run does all
 * of it and rolls back.
 *
 * @throws AisecError RESTORE_FAILED for other rows than the manifest has; as `Session.query`.
 */
export async function loadBeside(
  access: ServerAccess,
  backup: RestorableBackup,
  selection: CopySelection,
  options: BesideOptions,
): Promise<readonly CopiedTable[]> {
  return access.withDatabase(access.databaseName, async (session) => {
    for (const [name, value] of Object.entries(settingsFor(selection.entries, backup.vectorIndexes, machineOf(access))))
      await session.query('select pg_catalog.set_config($1, $2, false)', [name, value]);
    const make = (): Promise<readonly CopiedTable[]> => makeAll(access, session, backup, selection, options);
    return options.isDryRun ? withRollback(session, make) : withTransaction(session, make);
  });
}
