import type { Session } from '../../../adapters/postgres/session.js';
import { relocate } from '../../../adapters/sql-parser/relocate.js';
import { quoteIdentifier } from '../../../base/identifier.js';
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
function entriesOf(
  entries: readonly TocEntry[],
  key: string,
  isNeeded: (leaf: string) => boolean,
): readonly TocEntry[] {
  const table = entries.find(({ kind, ...entry }) => kind === 'TABLE' && nameIn({ kind, ...entry }) === key);
  const schema = table?.description.split(' ', 1)[0] ?? '';
  const copy = selectCopy(entries, { schema, name: key.slice(schema.length + 1) }, () => true);
  return (copy?.entries ?? []).filter(
    (entry) =>
      ['TABLE', 'TABLE ATTACH'].includes(entry.kind) || (entry.kind === 'TABLE DATA' && isNeeded(nameIn(entry))),
  );
}

/**
 * Loads tables of a backup as temporary tables of the session, under their own names.
 *
 * @param keys `schema table` of each
 * @param isNeeded of a table or partition, by `schema table`: whether its rows are loaded
 */
export async function loadScratch(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  keys: readonly string[],
  isNeeded: (leaf: string) => boolean,
  onProgress: (text: string) => void,
): Promise<void> {
  const chosen = new Set(keys.flatMap((key) => entriesOf(backup.toc.entries, key, isNeeded)));
  const entries = backup.toc.entries.filter((entry) => chosen.has(entry));
  const tables = entries.filter(({ kind }) => kind === 'TABLE').map(nameIn);
  const relocation = { relations: new Set(tables), to: TEMPORARY };
  const rewrite = (sql: string): Promise<string> => relocate(sql, relocation);
  const part = { archive: backup.file, entries, withoutOwners: true, withoutPrivileges: true };
  for (const { text } of await readDefinitions(access, part, 'pre-data')) await session.query(await rewrite(text));
  await loadRows(access, session, part, countingLines(entries.length, onProgress), rewrite);
  for (const key of keys) await session.query(`analyze ${scratchName(key)}`);
}

/** The temporary table of `schema table`, as SQL. */
export function scratchName(key: string): string {
  return `${TEMPORARY}.${quoteIdentifier(key.slice(key.indexOf(' ') + 1))}`;
}
