import { nameIn, type TocEntry } from '../contents/toc.js';
import { canBeSeen } from './target-objects.js';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** Something that leaned on a table and is not restored with it. */
export interface LeftOut {
  readonly entry: TocEntry;
  /** `is missing`: of what it needs besides, or is itself. `is there`: and may refer to another table by now. */
  readonly reason: 'needs' | 'unknown' | 'there' | 'inline';
  /** What it needs and is missing. */
  readonly lacks?: TocEntry;
}

export interface TableSelection {
  /** For `pg_restore --use-list`, in the archive's order. */
  readonly entries: readonly TocEntry[];
  /** The table itself, its partitions, and referenced tables that the target lacks; `schema table owner`. */
  readonly tables: readonly TocEntry[];
  /** What else the target lacks and the table needs: schemas, extensions, types, functions. */
  readonly prerequisites: readonly TocEntry[];
  /** What leaned on the tables and is missing with them, of other tables or by itself: it comes back, too. */
  readonly leaning: readonly TocEntry[];
  /** What leaned on them and cannot come back with them. */
  readonly left: readonly LeftOut[];
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
export const FOLLOWERS = new Set([
  'ACL',
  'COMMENT',
  'SECURITY LABEL',
  'SEQUENCE SET',
  'SEQUENCE OWNED BY',
  'MATERIALIZED VIEW DATA',
]);
/** They say what an object they depend on has, not what leans on it. */
const CONTENTS = new Set(['TABLE DATA', 'STATISTICS DATA', 'ROW SECURITY', ...FOLLOWERS]);
/** They belong to the one table they depend on. */
const PARTS = new Set(['INDEX', 'SEQUENCE', 'STATISTICS']);
/** They join two things and belong where both are. */
const JOINTS = new Set(['INDEX ATTACH', 'TABLE ATTACH']);

/** Objects of their own, that a table may need. */
export const STANDING_ALONE = new Set([
  'AGGREGATE',
  'COLLATION',
  'DOMAIN',
  'EXTENSION',
  'FOREIGN DATA WRAPPER',
  'FUNCTION',
  'OPERATOR',
  'OPERATOR CLASS',
  'OPERATOR FAMILY',
  'PROCEDURE',
  'SCHEMA',
  'SERVER',
  'TEXT SEARCH CONFIGURATION',
  'TEXT SEARCH DICTIONARY',
  'TYPE',
  'VIEW',
]);

export function isTable(entry: TocEntry): boolean {
  return entry.kind === 'TABLE' || entry.kind === 'FOREIGN TABLE';
}

function startsWithName(entry: TocEntry, name: string): boolean {
  return entry.description.startsWith(`${name} `);
}

/** Entries that are chosen with all that they need and the target lacks. */
export class Selection {
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

  /**
   * A joint needs both of its sides, which are known only when every table is in.
   *
   * @param isCopy what is in the target is not the other side: nothing of a second table is to be joined to it
   */
  addJoints(entries: readonly TocEntry[], isCopy = false): void {
    const isThere = (side: TocEntry): boolean => {
      if (isCopy) return this.chosen.has(side);
      const table = isTable(side) ? side : this.#tableOf(side);
      return this.chosen.has(side) || (table !== undefined && !this.tables.has(table) && this.#isInTarget(table));
    };
    for (const entry of entries.filter(({ kind }) => JOINTS.has(kind))) {
      const sides = this.#dependenciesOf(entry);
      if (sides.some((side) => this.chosen.has(side)) && sides.every(isThere)) this.chosen.add(entry);
    }
  }

  /**
   * What leaned on what was chosen and is missing with it: policies, keys and triggers of other tables, views, functions.
   * An entry of the archive stands behind all that it depends on, so that one turn finds what leans on what leans.
   */
  addLeaning(entries: readonly TocEntry[]): {
    readonly leaning: readonly TocEntry[];
    readonly left: readonly LeftOut[];
  } {
    const leaning: TocEntry[] = [];
    const left: LeftOut[] = [];
    const above = new Set([...this.tables].flatMap((table) => this.#tablesAbove(table)));
    for (const entry of entries) {
      // A key to a partitioned table ends with each of its partitions that is dropped.
      const isKeyToAbove = entry.kind === 'FK CONSTRAINT' && !this.#isInTarget(entry);
      const leansOn = this.#dependenciesOf(entry).filter(
        (each) => this.chosen.has(each) || (isKeyToAbove && above.has(each)),
      );
      if (leansOn.length === 0 || this.chosen.has(entry) || CONTENTS.has(entry.kind) || JOINTS.has(entry.kind))
        continue;
      const verdict = this.#judge(entry);
      if (verdict === undefined) {
        leaning.push(entry);
        this.#add(entry);
      } else left.push({ entry, ...verdict });
    }
    return { leaning, left };
  }

  /** Undefined: it can come back. */
  #judge(entry: TocEntry): Omit<LeftOut, 'entry'> | undefined {
    if (this.#isInTarget(entry)) return { reason: isTable(entry) ? 'inline' : 'there' };
    if (isTable(entry)) return { reason: 'needs', lacks: entry };
    if (!canBeSeen(entry)) return { reason: 'unknown' };
    const lacks = this.#lackedBy(entry, new Set());
    return lacks === undefined ? undefined : { reason: 'needs', lacks };
  }

  /** A table, or a part of one that is there, that would have to be made first. */
  #lackedBy(entry: TocEntry, seen: Set<TocEntry>): TocEntry | undefined {
    for (const needed of this.#dependenciesOf(entry)) {
      if (seen.has(needed) || this.chosen.has(needed) || this.#isInTarget(needed)) continue;
      seen.add(needed);
      if (isTable(needed) || this.#tableOf(needed) !== undefined) return needed;
      const deeper = this.#lackedBy(needed, seen);
      if (deeper !== undefined) return deeper;
    }
    return undefined;
  }

  /** Sequences that end with the tables, also those that are there: a second table needs its own. */
  addOwnedSequences(): void {
    for (const owned of [...this.chosen].filter(({ kind }) => kind === 'SEQUENCE OWNED BY'))
      for (const sequence of this.#dependenciesOf(owned).filter(({ kind }) => kind === 'SEQUENCE')) this.#add(sequence);
  }

  /** The tables that an entry depends on, or a part of which. */
  tablesOf(entry: TocEntry): readonly TocEntry[] {
    return this.#dependenciesOf(entry).flatMap((each) => (isTable(each) ? each : (this.#tableOf(each) ?? [])));
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

  /** What the table is a partition of, at any depth. */
  #tablesAbove(table: TocEntry): readonly TocEntry[] {
    return this.#dependantsOf(table)
      .filter((entry) => entry.kind === 'TABLE ATTACH' && this.#partitionOf(entry) === table)
      .flatMap((entry) => this.#dependenciesOf(entry).filter((side) => isTable(side) && side !== table))
      .flatMap((parent) => [parent, ...this.#tablesAbove(parent)]);
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

/** A table as `nameIn` has it, which cannot be taken apart again: names may hold blanks. */
export function tocName({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${schema} ${table}`;
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
  const { leaning, left } = selection.addLeaning(entries);
  selection.addJoints(entries);
  const chosen = entries.filter((entry) => selection.chosen.has(entry));
  return {
    entries: chosen,
    tables: chosen.filter((entry) => selection.tables.has(entry)),
    prerequisites: chosen.filter((entry) => STANDING_ALONE.has(entry.kind) && !leaning.includes(entry)),
    leaning,
    left,
    rowSecurity: chosen.filter((entry) => entry.kind === 'ROW SECURITY'),
  };
}
