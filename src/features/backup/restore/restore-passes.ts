import { restoreSettings, vectorSettings, type Machine, type Settings } from './fast-settings.js';
import type { NamedVectorIndex } from '../contents/restorable-backup.js';
import type { RestorePhase } from './phases.js';
import type { Toc, TocEntry } from '../contents/toc.js';

/** One run of pg_restore. */
export interface RestorePass {
  readonly phase: RestorePhase;
  readonly sections: readonly ('pre-data' | 'data' | 'post-data')[];
  /** Those of the sections that it takes; undefined: all. */
  readonly entries: readonly TocEntry[] | undefined;
  readonly settings: Settings;
  readonly jobs: number;
}

/** Those that are chosen, and whatever needs them. */
function withDependents(entries: readonly TocEntry[], isChosen: (entry: TocEntry) => boolean): ReadonlySet<TocEntry> {
  const found = new Set(entries.filter(isChosen));
  // They come after what they depend on.
  const ids = new Set([...found].map(({ dumpId }) => dumpId));
  for (const entry of entries) {
    if (found.has(entry) || !entry.dependsOn.some((id) => ids.has(id))) continue;
    found.add(entry);
    ids.add(entry.dumpId);
  }
  return found;
}

/** The vector indexes, and such as the index of a partitioned table that they are parts of. */
function vectorEntries(
  entries: readonly TocEntry[],
  indexes: readonly Pick<NamedVectorIndex, 'schema' | 'index'>[],
): ReadonlySet<TocEntry> {
  return withDependents(
    entries,
    ({ kind, description }) =>
      kind === 'INDEX' && indexes.some(({ schema, index }) => description.startsWith(`${schema} ${index} `)),
  );
}

/** Event triggers, which would run at each statement after them: log it into a table of the backup, refuse it, or the login. */
export function eventTriggers({ entries }: Pick<Toc, 'entries'>): readonly TocEntry[] {
  return [...withDependents(entries, ({ kind }) => kind === 'EVENT TRIGGER')];
}

/**
 * How a whole archive is restored, but for its event triggers. With more jobs than one pg_restore takes an entry as soon as all it depends on is
 * there. A trigger and a foreign key of a partitioned table depend on that table, which has no rows itself, and not on its
 * partitions: they would be made before the rows come, and fire for each. So everything that comes after the rows waits for
 * all of them.
 *
 * Vector indexes come last and by themselves: what makes several processes build them would start some for every
 * partition of a megabyte, too, 4 s of 25.
 */
export function restorePasses({
  toc,
  vectorIndexes,
  machine,
  jobs,
}: {
  readonly toc: Pick<Toc, 'entries'>;
  readonly vectorIndexes: readonly NamedVectorIndex[];
  readonly machine: Machine;
  readonly jobs: number;
}): readonly RestorePass[] {
  const late = new Set(eventTriggers(toc));
  const last = vectorEntries(toc.entries, vectorIndexes);
  const pass = { settings: restoreSettings(machine, jobs), jobs };
  const rows: RestorePass = { phase: 'rows', sections: ['pre-data', 'data'], entries: undefined, ...pass };
  const others = toc.entries.filter((entry) => !last.has(entry) && !late.has(entry));
  const isAll = others.length === toc.entries.length;
  const indexes: RestorePass = {
    phase: 'indexes',
    sections: ['post-data'],
    entries: isAll ? undefined : others,
    ...pass,
  };
  if (last.size === 0) return [rows, indexes];
  return [
    rows,
    indexes,
    // Each may take a quarter of the memory, and all the cores.
    {
      phase: 'vector-indexes',
      sections: ['post-data'],
      entries: [...last],
      settings: vectorSettings(vectorIndexes, machine),
      jobs: 1,
    },
  ];
}

/** For these entries in one run. */
export function settingsFor(
  entries: readonly TocEntry[],
  vectorIndexes: readonly NamedVectorIndex[],
  machine: Machine,
): Settings {
  const hasVectors = vectorEntries(entries, vectorIndexes).size > 0;
  return hasVectors ? vectorSettings(vectorIndexes, machine) : restoreSettings(machine, 1);
}
