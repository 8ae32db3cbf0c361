import { groupBy } from '../../base/group-by.js';
import type { CatalogSnapshot } from './catalog.js';
import type { Difference, PropertyValue } from './difference.js';
import { entriesOf, type Entry } from './entries.js';

export interface DiffOptions {
  /** Compares partitions with bounds, too. Default: false, since the months of a database are never drift. */
  readonly withPartitions?: boolean;
  /** Compares the versions of extensions, too. Default: false. */
  readonly withExtensionVersions?: boolean;
}

function isSame(before: PropertyValue, after: PropertyValue): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

function oneSided(entry: Entry, isAdded: boolean): Difference {
  const { kind, object } = entry;
  if (kind !== 'grant') return { kind, object, property: 'existence', before: !isAdded, after: isAdded };
  const privileges = entry.properties['privileges'] ?? null;
  return {
    kind,
    object,
    property: 'privileges',
    before: isAdded ? null : privileges,
    after: isAdded ? privileges : null,
  };
}

function changed(before: Entry, after: Entry): readonly Difference[] {
  const { kind, object } = after;
  return Object.entries(after.properties).flatMap(([property, now]) => {
    const old = before.properties[property] ?? null;
    return isSame(old, now) ? [] : [{ kind, object, property, before: old, after: now }];
  });
}

/** Columns that both sides have, in another order: INSERT without a column list and SELECT * notice. */
function reordered(before: CatalogSnapshot, after: CatalogSnapshot): readonly Difference[] {
  const old = groupBy(before.columns, ({ table }) => table);
  return [...groupBy(after.columns, ({ table }) => table)].flatMap(([table, columns]) => {
    const oldNames = (old.get(table) ?? []).map(({ name }) => name);
    const names = columns.map(({ name }) => name);
    const [kept, now] = [
      oldNames.filter((name) => names.includes(name)),
      names.filter((name) => oldNames.includes(name)),
    ];
    if (isSame(kept, now)) return [];
    return [{ kind: 'table', object: table, property: 'columnOrder', before: kept, after: now }];
  });
}

function isIgnored({ kind, property }: Difference, options: DiffOptions): boolean {
  return kind === 'extension' && property === 'version' && options.withExtensionVersions !== true;
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/**
 * What has to change in `before` to get `after`, sorted by kind, object and property. An object that is only on one
 * side is one difference, without those of what belongs to it.
 */
export function diffCatalogs(
  before: CatalogSnapshot,
  after: CatalogSnapshot,
  options: DiffOptions = {},
): readonly Difference[] {
  const withPartitions = options.withPartitions === true;
  const old = new Map(entriesOf(before, withPartitions).map((entry) => [entry.id, entry]));
  const now = new Map(entriesOf(after, withPartitions).map((entry) => [entry.id, entry]));
  const isOneSided = (id: string): boolean => old.has(id) !== now.has(id);

  const differences: Difference[] = [];
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    const [one, other] = [old.get(id), now.get(id)];
    if (one !== undefined && other !== undefined) {
      differences.push(...changed(one, other));
      continue;
    }
    const entry = one ?? other;
    if (entry !== undefined && !entry.parents.some(isOneSided)) differences.push(oneSided(entry, one === undefined));
  }
  return [...differences, ...reordered(before, after)]
    .filter((difference) => !isIgnored(difference, options))
    .toSorted(
      (a, b) => compareText(a.kind, b.kind) || compareText(a.object, b.object) || compareText(a.property, b.property),
    );
}
