import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { countText, listed } from '../../../base/count.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { bareName, nameIn, namedInSql, type TocEntry } from '../contents/toc.js';
import type { LeftOutRows } from '../restore/leave-erased-out.js';
import { isTable, tocName, type TableName } from '../restore/table-selection.js';

/** The two tables that a month is in one of. */
const OTHER_TABLE: ReadonlyMap<string, string> = new Map([
  ['messages', 'messages_archive'],
  ['messages_archive', 'messages'],
]);
const MOST_LISTED = 24;

/** The partitions of a table of the archive, each with the name of an index of its own, one by one. */
function indexesOfPartitions(
  entries: readonly TocEntry[],
  parent: string,
): readonly { readonly table: TocEntry; readonly index: string }[] {
  const root = entries.find((entry) => isTable(entry) && nameIn(entry) === parent);
  const attaching = entries.filter(
    ({ kind, dependsOn }) => kind === 'TABLE ATTACH' && root !== undefined && dependsOn.includes(root.dumpId),
  );
  const attached = new Set(attaching.flatMap(({ dependsOn }) => dependsOn));
  const tables = new Map(
    entries
      .filter((entry) => isTable(entry) && entry !== root && attached.has(entry.dumpId))
      .map((entry) => [entry.dumpId, entry]),
  );
  return entries
    .filter(({ kind }) => kind === 'INDEX' || kind === 'CONSTRAINT')
    .flatMap((entry) => {
      const table = entry.dependsOn.flatMap((id) => tables.get(id) ?? [])[0];
      if (table === undefined) return [];
      const name = bareName(entry);
      return [{ table, index: entry.kind === 'INDEX' ? name : name.slice(bareName(table).length + 1) }];
    });
}

/**
 * The entries for a restore of messages or messages_archive, without the months that went to the other of the two as they
 * were since the backup was made: their rows are there, and their indexes kept their names.
 */
export async function withoutMovedMonths(
  session: Session,
  entries: readonly TocEntry[],
  { schema, name }: TableName,
): Promise<{ readonly entries: readonly TocEntry[]; readonly warnings: readonly string[] }> {
  const other = OTHER_TABLE.get(name);
  const indexes = other === undefined ? [] : indexesOfPartitions(entries, tocName({ schema, table: name }));
  if (other === undefined || indexes.length === 0) return { entries, warnings: [] };
  const { rows } = await session.query<{ place: number }>(sqlFile('backup/moved-months'), [
    quoteIdentifier(schema),
    quoteIdentifier(other),
    indexes.map(({ index }) => index),
  ]);
  const moved = new Set(rows.flatMap(({ place }) => indexes[place - 1]?.table ?? []));
  if (moved.size === 0) return { entries, warnings: [] };
  const ids = new Set([...moved].map(({ dumpId }) => dumpId));
  const names = listed([...moved].map(namedInSql), MOST_LISTED);
  return {
    entries: entries.filter(({ dumpId, dependsOn }) => !ids.has(dumpId) && !dependsOn.some((id) => ids.has(id))),
    warnings: [
      `left out: ${names}; ${other} has these months now. Where it lacks messages of one, restore those: --month YYYY-MM`,
    ],
  };
}

/**
 * Deletes of partitions that were just loaded the messages that the other of messages and messages_archive has by now: one by
 * one they go there from a month that is partly archived, and from the default partition.
 *
 * @param tables `schema table` of the restored ones
 * @param schema of the platform
 */
export async function leaveMovedOut(
  session: Session,
  tables: ReadonlySet<string>,
  schema: string,
): Promise<LeftOutRows> {
  const leftOut = new Map<string, number>();
  const warnings: string[] = [];
  for (const [root, other] of OTHER_TABLE) {
    const { rows: pairs } = await session.query<{ name: string; here: string; there: string }>(
      sqlFile('backup/overlapping-months'),
      [quoteIdentifier(schema), quoteIdentifier(root), quoteIdentifier(other)],
    );
    for (const { name, here, there } of pairs.filter((pair) => tables.has(pair.name))) {
      const { rowCount } = await session.query(
        `delete from only ${here} as restored
         using only ${there} as present
         where present.id = restored.id and present.created_at = restored.created_at`,
      );
      if (!rowCount) continue;
      leftOut.set(name, (leftOut.get(name) ?? 0) + rowCount);
      warnings.push(`left out: ${countText(rowCount, 'row')} of ${here}, which ${there} has now`);
    }
  }
  return { leftOut, warnings };
}
