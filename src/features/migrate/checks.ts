import type { Session } from '../../adapters/postgres/session.js';
import { aisecCommand } from '../../base/aisec-command.js';
import type { MigrationState, MigrationStatus } from './history/compare.js';
import { labelOf } from './files/source.js';
import { ADVICE, describeFault, isFault } from './history/history-faults.js';
import { compareWithDatabase, type MigrateSettings } from './prepare.js';

export type { MigrateSettings };

export type MigrationFindingKind = Exclude<MigrationState, 'applied'>;

/** Where files and history of the database differ. */
export interface MigrationFinding {
  readonly kind: MigrationFindingKind;
  readonly migration: string;
  readonly what: string;
  /** What comes of it. */
  readonly why: string;
  /** The command or the change that mends it. */
  readonly mend: string;
}

const WHY: Readonly<Record<MigrationFindingKind, string>> = {
  pending: 'the schema is older than the program expects',
  late: '`migrate up` refuses to continue until it is settled where it belongs',
  edited: 'a new database would not be built like this one, and `migrate up` refuses to continue',
  missing: 'a new database would not be built like this one, and `migrate up` refuses to continue',
  newer: 'this version of the program does not know what the newer one has changed',
  foreign: 'two programs write one history, and `migrate up` refuses to continue',
  renamed: 'it would run a second time, so `migrate up` refuses to continue',
  incomplete: 'a part of its statements has been done, and the rest has not',
};

function findingOf(status: MigrationStatus, schema: string): MigrationFinding {
  const { state, entry } = status;
  const name = labelOf(status);
  const kind = state as MigrationFindingKind;
  const base = { kind, migration: name, why: WHY[kind] };
  if (isFault(status)) return { ...base, what: describeFault(status), mend: ADVICE[status.state] };
  if (state === 'incomplete') {
    const done = `${entry?.statementsDone ?? 0} of ${entry?.statementsTotal ?? 0} statements`;
    return { ...base, what: `${name} stopped after ${done}`, mend: aisecCommand('migrate up', schema) };
  }
  return { ...base, what: `${name} is not applied`, mend: aisecCommand('migrate up', schema) };
}

/**
 * The migrations that are not simply applied. Reads only; SELECT on the history is enough.
 *
 * @throws AisecError PRIVILEGE_MISSING.
 */
export async function checkMigrations(
  session: Session,
  settings: MigrateSettings,
): Promise<readonly MigrationFinding[]> {
  const { statuses } = await compareWithDatabase(session, settings);
  return statuses.filter(({ state }) => state !== 'applied').map((status) => findingOf(status, settings.schema));
}
