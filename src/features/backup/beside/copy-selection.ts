import { nameIn, type TocEntry } from '../contents/toc.js';
import { FOLLOWERS, isTable, Selection, STANDING_ALONE, type TableName } from '../restore/table-selection.js';

/** What makes a second table like one of the archive. */
export interface CopySelection {
  /** As in `TableSelection`. */
  readonly entries: readonly TocEntry[];
  /** The table itself and its partitions. */
  readonly tables: readonly TocEntry[];
  /** What is missing and the table needs: types, functions. */
  readonly prerequisites: readonly TocEntry[];
  /** What the table had, and a second one is not to have: it would act on other tables. */
  readonly leftOut: readonly TocEntry[];
  readonly rowSecurity: readonly TocEntry[];
}

/** They write to other tables, or are sent elsewhere. */
const ACTING = new Set(['TRIGGER', 'RULE', 'PUBLICATION TABLE']);

/**
 * Everything that makes up a table by itself: no triggers or rules, and no foreign keys to other tables, which would be
 * locked for them and refuse deletes afterwards.
 *
 * Undefined when the archive has no such table.
 */
export function selectCopy(
  entries: readonly TocEntry[],
  table: TableName,
  isInTarget: (entry: TocEntry) => boolean,
): CopySelection | undefined {
  const wanted = `${table.schema} ${table.name}`;
  const start = entries.find((entry) => isTable(entry) && nameIn(entry) === wanted);
  if (start === undefined) return undefined;
  const selection = new Selection(entries, (entry) => isTable(entry) || isInTarget(entry));
  selection.addTable(start);
  selection.addJoints(entries, true);
  selection.addOwnedSequences();
  const isLacking = (each: TocEntry): boolean => isTable(each) && !selection.tables.has(each) && !isInTarget(each);
  const leftOut = [...selection.chosen].filter(
    (entry) =>
      ACTING.has(entry.kind) ||
      (entry.kind === 'FK CONSTRAINT' && selection.tablesOf(entry).some((each) => !selection.tables.has(each))) ||
      (entry.kind === 'POLICY' && selection.tablesOf(entry).some(isLacking)),
  );
  // A partition becomes a table of its own: attached, its rows would stand in the present table a second time.
  const isDetached = (entry: TocEntry): boolean =>
    entry.kind === 'TABLE ATTACH' &&
    !selection.chosen.has(entry) &&
    selection.tablesOf(entry).some((each) => selection.tables.has(each));
  const leftIds = new Set(leftOut.map(({ dumpId }) => dumpId));
  const chosen = entries.filter(
    (entry) =>
      selection.chosen.has(entry) &&
      // It names the table in a text, and describes another one.
      entry.kind !== 'STATISTICS DATA' &&
      !leftIds.has(entry.dumpId) &&
      !(FOLLOWERS.has(entry.kind) && entry.dependsOn.some((id) => leftIds.has(id))),
  );
  return {
    entries: chosen,
    tables: chosen.filter((entry) => selection.tables.has(entry)),
    prerequisites: chosen.filter((entry) => STANDING_ALONE.has(entry.kind)),
    leftOut: [...leftOut, ...entries.filter(isDetached)],
    rowSecurity: chosen.filter((entry) => entry.kind === 'ROW SECURITY'),
  };
}
