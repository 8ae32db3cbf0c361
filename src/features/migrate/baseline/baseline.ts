import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { AisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import { compareWithReplay, isDrift, type CompareOptions } from '../drift/drift.js';
import type { DriftFinding } from '../drift/findings.js';
import type { MigrationFile } from '../files/migration-file.js';
import { refuseHistoryFaults } from '../history/history-faults.js';
import { indexOfMigration } from '../find-migration.js';
import { labelOf } from '../files/source.js';
import { recordBaseline } from '../history/history-sql.js';
import { refuseEncoding } from '../preflight.js';
import { compareWithDatabase, historyToCreate } from '../prepare.js';

export interface BaselineOptions extends CompareOptions {
  /** The last migration that the database has; undefined: all of them. */
  readonly to: string | undefined;
  readonly isDryRun: boolean;
  readonly waitMs: number;
}

export interface BaselineResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** False: nothing was recorded, and `findings` says why. */
  readonly isMatching: boolean;
  /** Migrations that were recorded, or are to be. */
  readonly recorded: readonly string[];
  /** Where the database and the migrations differ; notices do not stand in the way. */
  readonly findings: readonly DriftFinding[];
}

/** The rows of the history, all of them or none. */
export async function recordMigrations(
  session: Session,
  schema: string,
  files: readonly MigrationFile[],
): Promise<void> {
  await withTransaction(session, async () => {
    const history = historyToCreate(schema, files, new Set());
    if (history !== undefined) await session.query(history);
    await session.query(files.map((file) => recordBaseline(schema, file)).join('\n'));
  });
}

interface BaselineFacts {
  readonly server_encoding: string;
  readonly is_empty: boolean;
}

/** Comparing what cannot match would list every object as missing. */
async function refuseUnfit(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query<BaselineFacts>(sqlFile('migrate/baseline-facts'), [schema]);
  const [facts] = rows;
  if (facts === undefined) throw new Error('the server did not answer the query of facts');
  const { label } = session.info;
  refuseEncoding(label, facts.server_encoding);
  if (facts.is_empty)
    throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${label} has no tables`, {
      detail: 'There is nothing to record.',
      hint: `Run: ${aisecCommand('migrate up', schema)}, or name the schema with --schema.`,
    });
}

async function baseline(session: Session, options: BaselineOptions): Promise<BaselineResult> {
  await refuseUnfit(session, options.schema);
  const { to } = options;
  const files = to === undefined ? options.files : options.files.slice(0, indexOfMigration(to, options.files) + 1);
  const { statuses } = await compareWithDatabase(session, options);
  refuseHistoryFaults(statuses, { schema: options.schema, allowsLate: true, allowsNewer: true });
  const incomplete = statuses.find(({ state }) => state === 'incomplete');
  if (incomplete !== undefined)
    throw new AisecError('MIGRATION_HISTORY', `migration ${labelOf(incomplete)} stopped half-way`, {
      hint: 'Finish it first: aisec migrate up',
    });
  const recorded = new Set(statuses.filter(({ entry }) => entry !== undefined).map(labelOf));
  const toRecord = files.filter((file) => !recorded.has(labelOf(file)));
  const findings = toRecord.length === 0 ? [] : await compareWithReplay(session, files, options);
  const isMatching = !findings.some(isDrift);
  if (isMatching && toRecord.length > 0 && !options.isDryRun) await recordMigrations(session, options.schema, toRecord);
  return {
    database: session.info.label,
    schema: options.schema,
    isDryRun: options.isDryRun,
    isMatching,
    recorded: isMatching ? toRecord.map(labelOf) : [],
    findings,
  };
}

/**
 * Records migrations as applied in a database that was built without them, when it is what they make; else it changes
 * nothing and returns each difference with the SQL that fixes it.
 *
 * @throws AisecError DATABASE_UNSUPPORTED, MIGRATION_PENDING when it is empty, MIGRATION_UNKNOWN, MIGRATION_HISTORY, RUN_LOCKED, PRIVILEGE_MISSING.
 */
export async function migrateBaseline(
  session: Session,
  options: BaselineOptions,
  reporting: Pick<Reporting, 'onProgress'>,
): Promise<BaselineResult> {
  if (options.isDryRun) return baseline(session, options);
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, () => baseline(session, options));
}
