import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { parseMigrationFile, type MigrationFile } from '../files/migration-file.js';
import type { MigrationStatus } from '../history/compare.js';
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
}

export type CompareOptions = MigrateSettings & Pick<ReplayOptions, 'withScratch' | 'cacheDir' | 'onProgress'>;

/** The text that was applied counts, not what the file is now. */
function recordedFile({ entry, file, name }: MigrationStatus): MigrationFile {
  const recorded =
    entry?.content === null || entry?.content === undefined
      ? file
      : (parseMigrationFile(file?.path ?? `${name}.sql`, name, entry.content).file ?? file);
  if (recorded !== undefined) return recorded;
  throw new AisecError(
    'MIGRATION_HISTORY',
    `migration ${name} was recorded by another program, and no file has its name`,
    {
      detail: 'What it makes is not known, so that the database cannot be compared.',
      hint: 'Give the directory with its file: --migrations-dir DIR, or put the history right: aisec migrate repair',
    },
  );
}

/** The migrations that the history of the database records as applied. */
export async function recordedMigrations(
  session: Session,
  settings: MigrateSettings,
): Promise<readonly MigrationFile[]> {
  const { statuses } = await compareWithDatabase(session, settings);
  return statuses.filter(({ entry }) => entry !== undefined && entry.state === 'applied').map(recordedFile);
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
export async function findDrift(session: Session, options: CompareOptions): Promise<DriftResult> {
  const files = await recordedMigrations(session, options);
  if (files.length === 0)
    throw new AisecError('MIGRATION_PENDING', `${session.info.label} records no migration`, {
      hint: 'Run: aisec migrate up. Is the schema there already? Run: aisec migrate baseline',
    });
  const findings = await compareWithReplay(session, files, options);
  return {
    database: session.info.label,
    schema: options.schema,
    migrations: files.length,
    at: files.at(-1)?.name ?? null,
    isDrifted: findings.some(isDrift),
    findings,
  };
}
