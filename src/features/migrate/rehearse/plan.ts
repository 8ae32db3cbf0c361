import type { Session } from '../../../adapters/postgres/session.js';
import type { MigrationFile } from '../files/migration-file.js';
import { refuseUnsafeStatements } from '../files/migration-folder.js';
import { compareWithDatabase } from '../prepare.js';
import { filesOf, planUp, type UpOptions } from '../up.js';

/** What a rehearsal has to know of the database that it is for. */
export interface RehearsalPlan {
  /** For messages. */
  readonly database: string;
  readonly pending: readonly MigrationFile[];
  /** Those that the database has: what the backup lacks of them is applied before. */
  readonly applied: readonly MigrationFile[];
}

/**
 * Compares the files with the history of the database; reads only.
 *
 * @throws AisecError MIGRATION_HISTORY, MIGRATION_UNKNOWN, MIGRATION_FILE_INVALID, as `migrateUp`.
 */
export async function planRehearsal(session: Session, options: UpOptions): Promise<RehearsalPlan> {
  const { statuses } = await compareWithDatabase(session, options);
  const pending = filesOf(planUp(statuses, options));
  await refuseUnsafeStatements([...pending, ...(options.hooks ?? [])]);
  const applied = filesOf(statuses.filter(({ state }) => state === 'applied'));
  return { database: session.info.label, pending, applied };
}
