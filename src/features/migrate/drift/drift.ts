import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { applyIgnores, type Ignore, type IgnoredBy, type IgnoreProblem } from '../../../config/ignores.js';
import { parseMigrationFile, type MigrationFile } from '../files/migration-file.js';
import { labelOf, type SourcedName } from '../files/source.js';
import { readHistory, type HistoryEntry } from '../history/history.js';
import { compareWithDatabase, type MigrateSettings } from '../prepare.js';
import { replayedCatalog, type ReplayOptions } from '../replay/replay.js';
import { changesOf } from './change.js';
import { findingsOf, type DriftFinding } from './findings.js';

export interface DriftResult {
  readonly database: string;
  readonly schema: string;
  /** The migrations that the database was compared with: those that its history records. */
  readonly migrations: number;
  /** The newest of them; null: none. */
  readonly at: string | null;
  readonly isDrifted: boolean;
  /** Worth knowing and no drift when their severity is `notice`. */
  readonly findings: readonly DriftFinding[];
  /** What the ignore file leaves out, with the reason. */
  readonly ignored: readonly (DriftFinding & IgnoredBy)[];
  /** Entries of the ignore file that do nothing. */
  readonly ignoreProblems: readonly IgnoreProblem[];
}

export type CompareOptions = MigrateSettings &
  Pick<ReplayOptions, 'withScratch' | 'scratchServerVersion' | 'cacheDir' | 'onProgress'>;

export interface DriftOptions extends CompareOptions {
  readonly ignores: readonly Ignore[];
}

interface Recorded extends SourcedName {
  readonly entry: HistoryEntry;
  readonly file: MigrationFile | undefined;
}

/** The text that was applied counts, not what the file is now. The history leaves out texts that a file has. */
function recordedFile({ source, name, entry, file }: Recorded, files: readonly MigrationFile[]): MigrationFile {
  const { content, checksum } = entry;
  const same = file ?? files.find((other) => other.source === source && other.checksum === checksum);
  const label = labelOf({ source, name });
  const recorded = content === null ? same : (parseMigrationFile(`${label}.sql`, name, content, source).file ?? same);
  if (recorded !== undefined) return { ...recorded, name, source };
  throw new AisecError(
    'MIGRATION_HISTORY',
    `migration ${label} was recorded by another program, and no file has its name`,
    {
      detail: 'What it makes is not known, so that the database cannot be compared.',
      hint: 'Give the directory with its file: --migrations-dir DIR, or put the history right: aisec migrate repair',
    },
  );
}

/** The migrations that the database records as applied, of all its sources, in the order in which they run. */
async function recordedMigrations(session: Session, settings: MigrateSettings): Promise<readonly MigrationFile[]> {
  const { statuses, otherSources } = await compareWithDatabase(session, settings);
  const own = statuses.flatMap(({ source, name, entry, file }) =>
    entry === undefined ? [] : [{ source, name, entry, file }],
  );
  const others: Recorded[] = [];
  for (const source of otherSources) {
    // No directory was given for it: its texts are in the database.
    const { entries } = await readHistory(session, settings.schema, source);
    others.push(...entries.map((entry) => ({ source, name: entry.name, entry, file: undefined })));
  }
  return [...own, ...others]
    .filter(({ entry }) => entry.state === 'applied')
    .map((recorded) => recordedFile(recorded, settings.files));
}

/**
 * Compares the live catalog of the schema with the one that these files make. Reads only.
 *
 * @throws AisecError as `replayedCatalog`.
 */
export async function compareWithReplay(
  session: Session,
  files: readonly MigrationFile[],
  options: CompareOptions,
): Promise<readonly DriftFinding[]> {
  const { schema, extensionSchema } = options;
  const wanted = await replayedCatalog(files, options);
  const live = await readCatalog(session, { schema, withoutHistory: true });
  const changes = changesOf({ live, wanted, serverVersion: session.info.serverVersion });
  return findingsOf(changes, { live, wanted, schema, extensionSchema });
}

/** What a finding says is worth more than a notice. */
export function isDrift({ severity }: DriftFinding): boolean {
  return severity !== 'notice';
}

/**
 * Compares the database with a replay of the migrations that it records, by object and property. Reads only; SELECT on
 * the history and USAGE on the schema are enough.
 *
 * @throws AisecError MIGRATION_PENDING when nothing is recorded, MIGRATION_HISTORY, and as `replayedCatalog`.
 */
export async function findDrift(session: Session, options: DriftOptions): Promise<DriftResult> {
  const files = await recordedMigrations(session, options);
  if (files.length === 0)
    throw new AisecError('MIGRATION_PENDING', `${session.info.label} records no migration`, {
      hint: 'Run: aisec migrate up. Is the schema there already? Run: aisec migrate baseline',
    });
  const found = await compareWithReplay(session, files, options);
  const { findings, ignored, problems } = applyIgnores(found, options.ignores, { now: new Date() });
  const last = files.at(-1);
  return {
    database: session.info.label,
    schema: options.schema,
    migrations: files.length,
    at: last === undefined ? null : labelOf(last),
    isDrifted: findings.some(isDrift),
    findings,
    ignored,
    ignoreProblems: problems,
  };
}
