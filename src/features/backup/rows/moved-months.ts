import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { countText, listed } from '../../../base/count.js';
import { isAisecError } from '../../../base/errors.js';
import { nameInSql, quoteIdentifier } from '../../../base/identifier.js';
import { qualifiedName, readPartitions, type PartitionSet } from '../../messages/index.js';
import { bareName, nameIn, namedInSql, type TocEntry } from '../contents/toc.js';
import type { LeftOutRows } from '../restore/leave-erased-out.js';
import { isTable, tocName, type TableName } from '../restore/table-selection.js';

type Partition = PartitionSet['partitions'][number];

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

/** None where one of the two tables is missing, or is none of ours. */
async function partitionsOfBoth(session: Session, schema: string): Promise<readonly Partition[]> {
  try {
    const { canEnsure, partitions } = await readPartitions(session, schema);
    return canEnsure ? partitions : [];
  } catch (error) {
    if (isAisecError(error, 'MIGRATION_PENDING')) return [];
    throw error;
  }
}

/** RFC 3339 texts of one time zone sort as the times do; the default partition overlaps all. */
function overlap(one: Partition, other: Partition): boolean {
  const begin = ({ lowerBound }: Partition): string => (lowerBound === '-infinity' ? '' : (lowerBound ?? ''));
  const end = ({ upperBound }: Partition): string => upperBound ?? 'infinity';
  return begin(one) < end(other) && begin(other) < end(one);
}

function shown({ schema, name }: Partition): string {
  return `${nameInSql(schema)}.${nameInSql(name)}`;
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
  const partitions = await partitionsOfBoth(session, schema);
  for (const here of partitions.filter((each) => tables.has(tocName({ schema: each.schema, table: each.name }))))
    for (const there of partitions.filter((each) => each.root !== here.root && overlap(here, each))) {
      const { rowCount } = await session.query(
        `delete from only ${qualifiedName(here)} as restored
         using only ${qualifiedName(there)} as present
         where present.id = restored.id and present.created_at = restored.created_at`,
      );
      if (!rowCount) continue;
      const name = tocName({ schema: here.schema, table: here.name });
      leftOut.set(name, (leftOut.get(name) ?? 0) + rowCount);
      warnings.push(`left out: ${countText(rowCount, 'row')} of ${shown(here)}, which ${shown(there)} has now`);
    }
  return { leftOut, warnings };
}
