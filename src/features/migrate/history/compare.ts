import type { History, HistoryEntry } from './history.js';
import type { MigrationFile } from '../files/migration-file.js';
import { isRepeatable, type SourcedName } from '../files/source.js';

/**
 * Where a migration stands.
 * late: pending, but older than one that is applied. edited, missing, renamed: applied, but the file changed, is gone,
 * or lies there under another name. newer: missing, and after every file that there is: a newer version applied it.
 * foreign: aisec never wrote it, and no file has its name. unpaired: only one of the two history tables has it.
 * incomplete: stopped half-way, to be resumed.
 */
export type MigrationState =
  'applied' | 'pending' | 'late' | 'edited' | 'missing' | 'newer' | 'foreign' | 'renamed' | 'unpaired' | 'incomplete';

export interface MigrationStatus extends SourcedName {
  readonly state: MigrationState;
  readonly file: MigrationFile | undefined;
  readonly entry: HistoryEntry | undefined;
  /** For `renamed`: the file's name now. */
  readonly renamedTo: string | undefined;
}

/**
 * Files of one source against its history, in order of name. `isSameSql` decides about a file whose checksum differs: comments and
 * blanks may change, SQL may not.
 */
export async function compareHistory(
  files: readonly MigrationFile[],
  history: History,
  isSameSql: (file: MigrationFile, recorded: string) => Promise<boolean>,
  source: string,
): Promise<readonly MigrationStatus[]> {
  const byName = new Map(files.map((file) => [file.name, file]));
  const entryNames = new Set(history.entries.map((entry) => entry.name));
  const unrecorded = files.filter((file) => !entryNames.has(file.name));
  const newestFile = newestOf(files);
  const newestApplied = newestOf(history.entries.filter((entry) => byName.has(entry.name) || entry.checksum !== null));
  const renamedFiles = new Set<string>();
  const statuses: MigrationStatus[] = [];
  for (const entry of history.entries) {
    const file = byName.get(entry.name);
    if (isRepeatable(entry)) {
      // Without its file what it made stays, like anything that a numbered migration has not dropped.
      if (file === undefined) continue;
      const isUnchanged = (await stateOf(entry, file, newestFile, isSameSql)) === 'applied';
      const state = isUnchanged ? 'applied' : 'pending';
      statuses.push({ source, name: entry.name, state, file, entry, renamedTo: undefined });
      continue;
    }
    const twin = file === undefined ? unrecorded.find((candidate) => isTwin(candidate, entry)) : undefined;
    if (twin !== undefined) renamedFiles.add(twin.name);
    const compared = twin === undefined ? await stateOf(entry, file, newestFile, isSameSql) : 'renamed';
    const state = isUnpaired(entry, file) ? 'unpaired' : compared;
    statuses.push({ source, name: entry.name, state, file, entry, renamedTo: twin?.name });
  }
  for (const file of unrecorded.filter((candidate) => !renamedFiles.has(candidate.name))) {
    const state = !isRepeatable(file) && file.name < newestApplied ? 'late' : 'pending';
    statuses.push({ source, name: file.name, state, file, entry: undefined, renamedTo: undefined });
  }
  return statuses.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The highest number; an empty text where there is none. */
function newestOf(migrations: readonly { readonly name: string }[]): string {
  return (
    migrations
      .filter((migration) => !isRepeatable(migration))
      .map(({ name }) => name)
      .toSorted()
      .at(-1) ?? ''
  );
}

function isTwin(file: MigrationFile, entry: HistoryEntry): boolean {
  return !isRepeatable(file) && file.checksum === entry.checksum;
}

/** Comes before every other fault: which migrations are applied, and in which order, is not certain. */
function isUnpaired(entry: HistoryEntry, file: MigrationFile | undefined): boolean {
  const isOnlyEngines = entry.checksum === null && file !== undefined;
  return isOnlyEngines || (entry.position === null && entry.state === 'applied');
}

async function stateOf(
  entry: HistoryEntry,
  file: MigrationFile | undefined,
  newestFile: string,
  isSameSql: (file: MigrationFile, recorded: string) => Promise<boolean>,
): Promise<MigrationState> {
  if (file === undefined && entry.checksum === null) return 'foreign';
  if (file === undefined) return entry.name > newestFile && entry.state === 'applied' ? 'newer' : 'missing';
  if (entry.state !== 'applied') return 'incomplete';
  if (entry.checksum === file.checksum || entry.content === null) return 'applied';
  return (await isSameSql(file, entry.content)) ? 'applied' : 'edited';
}

/** The migrations that `up` would run, in order. */
export function pendingOf(statuses: readonly MigrationStatus[], allowsLate: boolean): readonly MigrationStatus[] {
  const wanted = new Set<MigrationState>(allowsLate ? ['pending', 'late', 'incomplete'] : ['pending', 'incomplete']);
  return statuses.filter((status) => wanted.has(status.state));
}
