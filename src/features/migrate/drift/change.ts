import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { diffCatalogs } from '../../../adapters/catalog/diff.js';
import type { Difference } from '../../../adapters/catalog/difference.js';
import { entriesOf, type CatalogItem } from '../../../adapters/catalog/entries.js';

/** One object that the database and the migrations do not have alike. */
export interface Change {
  /** `table`, `column`, `policy` … */
  readonly kind: string;
  /** As people write it: `messages.content`, `idx_files_user_id on files`. */
  readonly object: string;
  /** Undefined: the database does not have it. */
  readonly live: CatalogItem | undefined;
  /** Undefined: the migrations do not make it. */
  readonly wanted: CatalogItem | undefined;
  /** Each property, from the database to the migrations. */
  readonly differences: readonly Difference[];
}

export interface Compared {
  readonly live: CatalogSnapshot;
  readonly wanted: CatalogSnapshot;
  /** As server_version_num. */
  readonly serverVersion: number;
}

/** Built, tuned and replaced by `aisec vector`: how it is built is no drift, nor is the comment that says on how many rows. */
const TUNED_INDEX = 'idx_knowledge_base_embedding on knowledge_base';

/** MAINTAIN exists from PostgreSQL 17 on, and the embedded one has it. */
const MAINTAIN_SINCE = 170_000;

function itemsOf(snapshot: CatalogSnapshot): ReadonlyMap<string, CatalogItem> {
  return new Map(entriesOf(snapshot, false).map(({ kind, object, of }) => [`${kind} ${object}`, of]));
}

function withoutMaintain(value: Difference['before']): Difference['before'] {
  return Array.isArray(value) ? value.filter((privilege) => !String(privilege).startsWith('maintain')) : value;
}

const TEXT_ARRAY = /ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]::text\[\]/g;

/** `role in ('a', 'b')` on a varchar prints as a cast of the array; what was printed and read again as one of each element. */
function withCastsInside(value: Difference['before']): Difference['before'] {
  if (typeof value !== 'string') return value;
  return value.replaceAll(
    TEXT_ARRAY,
    (_match, list: string) =>
      `ARRAY[${list.replaceAll(/(?<=')::character varying(?=, |$)/g, '::character varying::text')}]`,
  );
}

/** What differs because of the server alone, or because of commands that are there for it. */
function isExpected({ kind, object, property, before, after }: Difference, { serverVersion }: Compared): boolean {
  if (withCastsInside(before) === withCastsInside(after) && typeof before === 'string') return true;
  // Where extensions are is the site's decision.
  if (kind === 'extension') return property === 'schema' || property === 'version';
  if (kind === 'index' && object === TUNED_INDEX) return property === 'definition' || property === 'comment';
  if (kind === 'grant' && serverVersion < MAINTAIN_SINCE)
    return JSON.stringify(withoutMaintain(before) ?? []) === JSON.stringify(withoutMaintain(after) ?? []);
  return false;
}

/** A row trigger of a partitioned table is made, changed and dropped in its partitions with it; there it can only be disabled. */
function isInherited(of: CatalogItem | undefined, { tables, triggers }: CatalogSnapshot): boolean {
  if (of === undefined) return true;
  if (of.kind !== 'trigger' || !of.item.definition.includes('FOR EACH ROW')) return false;
  const { table, name } = of.item;
  const parents = tables.find((found) => found.name === table && found.bound !== null)?.parents ?? [];
  return triggers.some((trigger) => trigger.name === name && parents.includes(trigger.table));
}

/** The objects in which the database differs from what the migrations make. Months and versions of extensions are none. */
export function changesOf(compared: Compared): readonly Change[] {
  const [live, wanted] = [itemsOf(compared.live), itemsOf(compared.wanted)];
  const changes = new Map<string, Change & { differences: Difference[] }>();
  for (const difference of diffCatalogs(compared.live, compared.wanted)) {
    if (isExpected(difference, compared)) continue;
    const { kind, object } = difference;
    const key = `${kind} ${object}`;
    const [before, after] = [live.get(key), wanted.get(key)];
    const isOwn = difference.property === 'enabled' || difference.property === 'comment';
    if (kind === 'trigger' && !isOwn && isInherited(before, compared.live) && isInherited(after, compared.wanted))
      continue;
    const known = changes.get(key);
    if (known === undefined) changes.set(key, { kind, object, live: before, wanted: after, differences: [difference] });
    else known.differences.push(difference);
  }
  return [...changes.values()];
}
