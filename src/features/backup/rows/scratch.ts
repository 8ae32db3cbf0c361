import type { ChoosableTable } from '../../../adapters/catalog/references/chosen-rows.js';
import { placeOf, type TableKey } from '../../../adapters/catalog/references/reference.js';
import { serverMajor } from '../../../adapters/postgres/server-major.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { relocate } from '../../../adapters/sql-parser/relocate.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Month } from '../../../base/month.js';
import { coversAnyOf, readPartitions } from '../../messages/index.js';
import type { ServerAccess } from '../access.js';
import { selectCopy } from '../beside/copy-selection.js';
import { takeName } from '../beside/new-names.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import { bareName, nameIn, type TocEntry } from '../contents/toc.js';
import { countingLines } from '../restore/restore-into.js';
import { loadRows, readDefinitions } from '../restore/script.js';
import { tocName } from '../restore/table-selection.js';

/** Tables of the session alone: the server removes them with it, also when it is killed. */
const TEMPORARY = 'pg_temp';

/** Columns and rows of a table and of its partitions, without what comes after the rows. */
function entriesOf(entries: readonly TocEntry[], key: TableKey): readonly TocEntry[] {
  const { schema, table } = placeOf(key);
  const copy = selectCopy(entries, { schema, name: table }, () => true);
  return (copy?.entries ?? []).filter(({ kind }) => ['TABLE', 'TABLE ATTACH', 'TABLE DATA'].includes(kind));
}

/** The partitions of messages that can hold a month, by their bounds alone: name in the table of contents → whether its rows are needed. */
async function leavesOfMonth(
  session: Session,
  keys: readonly TableKey[],
  month: Month,
): Promise<(name: string) => boolean> {
  const { rows } = await session.query<{ schema: string }>(
    'select nspname::text as schema from pg_catalog.pg_namespace where oid = pg_catalog.pg_my_temp_schema()',
  );
  const { partitions } = await readPartitions(session, rows[0]?.schema ?? '');
  const schemas = [...new Set(keys.map((key) => placeOf(key).schema))];
  const others = new Set(
    partitions
      .filter((each) => !each.isDefault && !coversAnyOf(each, month))
      .flatMap(({ name }) => schemas.map((schema) => tocName({ schema, table: name }))),
  );
  return (name) => !others.has(name);
}

/**
 * What the tables are called as temporary ones, by `schema name`: as they are, which a condition may say, and of those of
 * several schemas with one name the first alone.
 */
function temporaryNames(tables: readonly TocEntry[], keys: readonly TableKey[]): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  const take = (place: string, name: string): void => {
    if (!names.has(place)) names.set(place, takeName(name, taken));
  };
  for (const key of keys) take(tocName(placeOf(key)), placeOf(key).table);
  for (const entry of tables) take(nameIn(entry), bareName(entry));
  return names;
}

/**
 * Loads tables of a backup as temporary tables of the session, and returns what they are called there.
 *
 * @param month of messages; undefined: the rows of all partitions are loaded
 */
export async function loadScratch(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  keys: readonly TableKey[],
  month: Month | undefined,
  onProgress: (text: string) => void,
): Promise<readonly ChoosableTable[]> {
  const chosen = new Set(keys.flatMap((key) => entriesOf(backup.toc.entries, key)));
  const entries = backup.toc.entries.filter((entry) => chosen.has(entry));
  const names = temporaryNames(
    entries.filter(({ kind }) => kind === 'TABLE'),
    keys,
  );
  const relocation = { relations: new Set(names.keys()), to: TEMPORARY, names };
  const rewrite = (sql: string): Promise<string> => relocate(sql, relocation);
  const part = {
    archive: backup.file,
    entries,
    serverMajor: serverMajor(session),
    withoutOwners: true,
    withoutPrivileges: true,
  };
  for (const { text } of await readDefinitions(access, part, 'pre-data')) await session.query(await rewrite(text));
  const isNeeded = month === undefined ? () => true : await leavesOfMonth(session, keys, month);
  const loaded = entries.filter((entry) => entry.kind !== 'TABLE DATA' || isNeeded(nameIn(entry)));
  await loadRows(access, session, { ...part, entries: loaded }, countingLines(loaded.length, onProgress), rewrite);
  const made = keys.map((key) => ({
    key,
    name: `${TEMPORARY}.${quoteIdentifier(names.get(tocName(placeOf(key))) ?? '')}`,
  }));
  for (const { name } of made) await session.query(`analyze ${name}`);
  return made;
}
