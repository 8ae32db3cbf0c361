import type { Session } from '../../adapters/postgres/session.js';
import type { MigrationState } from './history/compare.js';
import { missingFrom } from './history/unpaired.js';
import { listInvalidIndexes, type InvalidIndex } from './apply/invalid-indexes.js';
import type { SourcedName } from './files/source.js';
import { compareWithDatabase, type MigrateSettings } from './prepare.js';

export interface StatusEntry extends SourcedName {
  readonly state: MigrationState;
  /** For an unpaired one: the table of the history that lacks it. */
  readonly missingFrom: string | null;
  /** RFC 3339; null when it is not applied. */
  readonly appliedAt: string | null;
  readonly appliedBy: string | null;
  readonly durationMs: number | null;
  readonly renamedTo: string | null;
  /** For an incomplete one: how many of its statements are done. */
  readonly statementsDone: number | null;
  readonly statementsTotal: number | null;
  readonly error: string | null;
}

export interface MigrationOverview {
  readonly database: string;
  readonly schema: string;
  readonly isCurrent: boolean;
  readonly migrations: readonly StatusEntry[];
  readonly invalidIndexes: readonly InvalidIndex[];
  /** Names of sources that the database has a history of, and no directory was given for; not a part of `isCurrent`. */
  readonly otherSources: readonly string[];
}

/** Where the database stands. Reads only, creates nothing; SELECT on the history is enough. */
export async function migrationStatus(session: Session, settings: MigrateSettings): Promise<MigrationOverview> {
  const { statuses, otherSources } = await compareWithDatabase(session, settings);
  const invalidIndexes = await listInvalidIndexes(session, settings.schema);
  const migrations = statuses.map((status) => {
    const { source, name, state, entry, renamedTo } = status;
    return {
      source,
      name,
      state,
      missingFrom: missingFrom(status),
      appliedAt: entry === undefined || state === 'incomplete' ? null : entry.appliedAt.toISOString(),
      appliedBy: entry?.appliedBy ?? null,
      durationMs: entry?.durationMs ?? null,
      renamedTo: renamedTo ?? null,
      statementsDone: state === 'incomplete' ? (entry?.statementsDone ?? null) : null,
      statementsTotal: state === 'incomplete' ? (entry?.statementsTotal ?? null) : null,
      error: entry?.error ?? null,
    };
  });
  const isCurrent = migrations.every((migration) => migration.state === 'applied') && invalidIndexes.length === 0;
  return {
    database: session.info.label,
    schema: settings.schema,
    isCurrent,
    migrations,
    invalidIndexes,
    otherSources,
  };
}
