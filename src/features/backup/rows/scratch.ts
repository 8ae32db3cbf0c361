import type { Session } from '../../../adapters/postgres/session.js';
import { relocate } from '../../../adapters/sql-parser/relocate.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Month } from '../../../base/month.js';
import { coversAnyOf, readPartitions } from '../../messages/index.js';
import type { ServerAccess } from '../access.js';
import { selectCopy } from '../beside/copy-selection.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import type { TocEntry } from '../contents/toc.js';
import { countingLines } from '../restore/restore-into.js';
import { loadRows, readDefinitions } from '../restore/script.js';
import { nameIn } from '../restore/table-selection.js';

/** Tables of the session alone: the server removes them with it, also when it is killed. */
const TEMPORARY = 'pg_temp';

/** Columns and rows of a table and of its partitions, without what comes after the rows. */
function entriesOf(entries: readonly TocEntry[], key: string): readonly TocEntry[] {
  const table = entries.find(({ kind, ...entry }) => kind === 'TABLE' && nameIn({ kind, ...entry }) === key);
  const schema = table?.description.split(' ', 1)[0] ?? '';
  const copy = selectCopy(entries, { schema, name: key.slice(schema.length + 1) }, () => true);
  return (copy?.entries ?? []).filter(({ kind }) => ['TABLE', 'TABLE ATTACH', 'TABLE DATA'].includes(kind));
}

/** The partitions of messages that can hold a month, by their bounds alone: `schema table` → whether its rows are needed. */
async function leavesOfMonth(session: Session, month: Month): Promise<(key: string) => boolean> {
  const { rows } = await session.query<{ schema: string }>(
    'select nspname::text as schema from pg_catalog.pg_namespace where oid = pg_catalog.pg_my_temp_schema()',
  );
  const { partitions } = await readPartitions(session, rows[0]?.schema ?? '');
  const others = new Set(
    partitions.filter((each) => !each.isDefault && !coversAnyOf(each, month)).map(({ name }) => name),
  );
  return (key) => !others.has(key.slice(key.indexOf(' ') + 1));
}

/**
 * Loads tables of a backup as temporary tables of the session, under their own names.
 *
 * @param keys `schema table` of each
 * @param month of messages; undefined: the rows of all partitions are loaded
 */
export async function loadScratch(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  keys: readonly string[],
  month: Month | undefined,
  onProgress: (text: string) => void,
): Promise<void> {
  const chosen = new Set(keys.flatMap((key) => entriesOf(backup.toc.entries, key)));
  const entries = backup.toc.entries.filter((entry) => chosen.has(entry));
  const tables = entries.filter(({ kind }) => kind === 'TABLE').map(nameIn);
  const relocation = { relations: new Set(tables), to: TEMPORARY };
  const rewrite = (sql: string): Promise<string> => relocate(sql, relocation);
  const part = { archive: backup.file, entries, withoutOwners: true, withoutPrivileges: true };
  for (const { text } of await readDefinitions(access, part, 'pre-data')) await session.query(await rewrite(text));
  const isNeeded = month === undefined ? () => true : await leavesOfMonth(session, month);
  const loaded = entries.filter((entry) => entry.kind !== 'TABLE DATA' || isNeeded(nameIn(entry)));
  await loadRows(access, session, { ...part, entries: loaded }, countingLines(loaded.length, onProgress), rewrite);
  for (const key of keys) await session.query(`analyze ${scratchName(key)}`);
}

/** The temporary table of `schema table`, as SQL. */
export function scratchName(key: string): string {
  return `${TEMPORARY}.${quoteIdentifier(key.slice(key.indexOf(' ') + 1))}`;
}
