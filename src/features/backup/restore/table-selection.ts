import type { TocEntry } from '../contents/toc.js';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface TableSelection {
  /** For `pg_restore --use-list`, in the archive's order. */
  readonly entries: readonly TocEntry[];
  /** The table itself, its partitions, and referenced tables that the target lacks; `schema table owner`. */
  readonly tables: readonly TocEntry[];
  /** What else the target lacks and the table needs: schemas, extensions, types, functions. */
  readonly prerequisites: readonly TocEntry[];
  /** Views that look at the tables: they went with them and are not restored. */
  readonly dependants: readonly TocEntry[];
  /** Tables that had row-level security on. */
  readonly rowSecurity: readonly TocEntry[];
}

/** Their tag is the table's name, then their own. */
const NAMED_AFTER_TABLE = new Set([
  'CHECK CONSTRAINT',
  'CONSTRAINT',
  'DEFAULT',
  'FK CONSTRAINT',
  'POLICY',
  'ROW SECURITY',
  'RULE',
  'STATISTICS DATA',
  'TABLE DATA',
  'TRIGGER',
]);
/** They belong to whatever they depend on. */
const FOLLOWERS = new Set(['ACL', 'COMMENT', 'SECURITY LABEL', 'SEQUENCE SET', 'SEQUENCE OWNED BY']);
/** They belong to the one table they depend on. */
const PARTS = new Set(['INDEX', 'SEQUENCE', 'STATISTICS']);
/** They join two things and belong where both are. */
const JOINTS = new Set(['INDEX ATTACH', 'TABLE ATTACH']);

/** Objects of their own, that a table may need. */
const STANDING_ALONE = new Set([
  'AGGREGATE',
  'COLLATION',
  'DOMAIN',
  'EXTENSION',
  'FUNCTION',
  'OPERATOR',
  'PROCEDURE',
  'SCHEMA',
  'TYPE',
  'VIEW',
]);

function isTable(entry: TocEntry): boolean {
  return entry.kind === 'TABLE' || entry.kind === 'FOREIGN TABLE';
}

function startsWithName(entry: TocEntry, name: string): boolean {
  return entry.description.startsWith(`${name} `);
}

class Selection {
  readonly #byId: ReadonlyMap<number, TocEntry>;
  readonly #dependants = new Map<number, TocEntry[]>();
  readonly #isInTarget: (entry: TocEntry) => boolean;
  readonly chosen = new Set<TocEntry>();
  readonly tables = new Set<TocEntry>();

  constructor(entries: readonly TocEntry[], isInTarget: (entry: TocEntry) => boolean) {
    this.#byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
    this.#isInTarget = isInTarget;
    for (const entry of entries)
      for (const id of new Set(entry.dependsOn)) this.#dependants.set(id, [...(this.#dependants.get(id) ?? []), entry]);
  }

  addTable(table: TocEntry): void {
    if (this.tables.has(table)) return;
    this.tables.add(table);
    this.#add(table);
    for (const entry of this.#dependantsOf(table)) {
      if (this.#tableOf(entry) === table) this.#add(entry);
      const partition = entry.kind === 'TABLE ATTACH' ? this.#partitionOf(entry) : undefined;
      if (partition !== undefined && partition !== table) this.addTable(partition);
    }
  }

  /** A joint needs both of its sides, which are known only when every table is in. */
  addJoints(entries: readonly TocEntry[]): void {
    const isThere = (side: TocEntry): boolean => {
      const table = isTable(side) ? side : this.#tableOf(side);
      return this.chosen.has(side) || (table !== undefined && !this.tables.has(table) && this.#isInTarget(table));
    };
    for (const entry of entries.filter(({ kind }) => JOINTS.has(kind))) {
      const sides = this.#dependenciesOf(entry);
      if (sides.some((side) => this.chosen.has(side)) && sides.every(isThere)) this.chosen.add(entry);
    }
  }

  #add(entry: TocEntry): void {
    if (this.chosen.has(entry)) return;
    this.chosen.add(entry);
    for (const needed of this.#dependenciesOf(entry)) this.#need(needed);
    for (const dependant of this.#dependantsOf(entry)) if (FOLLOWERS.has(dependant.kind)) this.#add(dependant);
  }

  #need(entry: TocEntry): void {
    if (this.chosen.has(entry) || this.#isInTarget(entry)) return;
    if (isTable(entry)) {
      this.addTable(entry);
      return;
    }
    const owner = this.#tableOf(entry);
    if (owner === undefined) this.#add(entry);
    // A key of a table that is there is taken to be there with it.
    else if (!this.#isInTarget(owner)) this.addTable(owner);
  }

  /** The table an entry is a part of; the longest name counts, since names may hold blanks. */
  #tableOf(entry: TocEntry): TocEntry | undefined {
    if (!NAMED_AFTER_TABLE.has(entry.kind) && !PARTS.has(entry.kind)) return undefined;
    const tables = this.#dependenciesOf(entry).filter(isTable);
    if (PARTS.has(entry.kind)) return tables[0];
    return tables
      .filter((table) => startsWithName(entry, nameIn(table)))
      .toSorted((a, b) => nameIn(b).length - nameIn(a).length)[0];
  }

  #partitionOf(attach: TocEntry): TocEntry | undefined {
    return this.#dependenciesOf(attach).find((side) => isTable(side) && startsWithName(attach, nameIn(side)));
  }

  #dependenciesOf(entry: TocEntry): readonly TocEntry[] {
    return entry.dependsOn.flatMap((id) => this.#byId.get(id) ?? []);
  }

  #dependantsOf(entry: TocEntry): readonly TocEntry[] {
    return this.#dependants.get(entry.dumpId) ?? [];
  }
}

/** `schema table` of a table's entry: all but the owner. */
function nameIn(table: TocEntry): string {
  return table.description.replace(/ [^ ]*$/, '');
}

/**
 * Everything that makes up a table, and what it needs that the target lacks: `pg_restore --table` would leave it
 * without row-level security, policies, indexes, constraints and identity.
 *
 * Undefined when the archive has no such table.
 */
export function selectTable(
  entries: readonly TocEntry[],
  table: TableName,
  isInTarget: (entry: TocEntry) => boolean,
): TableSelection | undefined {
  const wanted = `${table.schema} ${table.name}`;
  const start = entries.find((entry) => isTable(entry) && nameIn(entry) === wanted);
  if (start === undefined) return undefined;
  const selection = new Selection(entries, isInTarget);
  selection.addTable(start);
  selection.addJoints(entries);
  const chosen = entries.filter((entry) => selection.chosen.has(entry));
  return {
    entries: chosen,
    tables: chosen.filter((entry) => selection.tables.has(entry)),
    prerequisites: chosen.filter((entry) => STANDING_ALONE.has(entry.kind)),
    dependants: entries.filter(
      (entry) =>
        (entry.kind === 'VIEW' || entry.kind === 'MATERIALIZED VIEW') &&
        !selection.chosen.has(entry) &&
        !isInTarget(entry) &&
        chosen.some((other) => entry.dependsOn.includes(other.dumpId)),
    ),
    rowSecurity: chosen.filter((entry) => entry.kind === 'ROW SECURITY'),
  };
}
