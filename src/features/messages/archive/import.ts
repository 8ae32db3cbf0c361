import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { withRollback, withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../base/errors.js';
import { firstDay, parseMonth, type Month } from '../../../base/month.js';
import { refuseFindings } from '../../../base/refuse-findings.js';
import type { Reporting } from '../../../base/reporting.js';
import { aisecVersion } from '../../../base/package/version.js';
import type { Manifest } from './exports/manifest.js';
import { holdsSomeOf, readFacts } from './facts.js';
import { publicationFindings } from './findings.js';
import { loadFile, refuseOtherColumns, verifyFile } from './imports/read-file.js';
import {
  adaptStaged,
  countDifferent,
  insertStaged,
  readStaged,
  refuseStaged,
  type MissingReferences,
} from './imports/staged.js';
import { serverTime } from './journal.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { lockTimeoutBelowDeadlockMs, withLockRetries, type RetryOptions } from '../lock-retries.js';
import { nameIn, type Root } from '../partition.js';

export interface ImportOptions extends MissingReferences {
  readonly schema: string;
  /** Absolute path. */
  readonly file: string;
  readonly root: Root;
  readonly isDryRun: boolean;
  readonly maxWaitMs: number;
  readonly waitMs: number;
}

export interface ImportResult {
  readonly database: string;
  readonly schema: string;
  readonly file: string;
  readonly month: Month;
  readonly isDryRun: boolean;
  /** `present`: every message of the file exists already, exactly as it is. */
  readonly outcome: 'planned' | 'imported' | 'present';
  readonly partition: string;
  readonly fileRows: number;
  /** Messages that are imported. */
  readonly rows: number;
  /** Messages left out, since their conversation does not exist. */
  readonly skippedRows: number;
  /** Replies that lost the message they answer, since it does not exist. */
  readonly nulledParents: number;
}

/** @throws AisecError ARCHIVE_BLOCKED, ARCHIVE_MONTH when the other table holds the month. */
async function refuseMonth(session: Session, month: Month, root: Root): Promise<number> {
  const { surroundings, partitions } = await readFacts(session);
  refuseFindings('ARCHIVE_BLOCKED', `month ${month} cannot be imported`, publicationFindings(surroundings));
  const other = partitions.find((partition) => partition.root !== root && holdsSomeOf(partition, month));
  if (other !== undefined)
    throw new AisecError('ARCHIVE_MONTH', `month ${month} is in ${other.root}`, {
      detail: `${other.relation} holds it.`,
      hint:
        root === 'messages'
          ? `Import into the archive, without --into; or first run: aisec archive restore ${month}`
          : 'Import with --into messages.',
    });
  return surroundings.deadlockTimeoutMs;
}

/** A month of messages is made before, in a transaction of its own: an empty one does no harm. */
async function makeLiveMonth(session: Session, month: Month): Promise<void> {
  const { rows } = await session.query<{ problem: string | null; problem_code: string | null }>(
    'select problem, problem_code from aisec_make_message_partitions(array[$1::date])',
    [firstDay(month)],
  );
  const problem = rows[0]?.problem ?? null;
  if (problem === null) return;
  throw new AisecError(
    rows[0]?.problem_code === '55P03' ? 'LOCK_TIMEOUT' : 'ARCHIVE_BLOCKED',
    `month ${month} could not be made in messages`,
    { detail: `${problem}.`, hint: 'Run first: aisec partitions ensure' },
  );
}

/** Locks what `statements` need; within the transaction, so that a failed attempt gives back its own locks only. */
async function takeLocks(session: Session, retries: RetryOptions, statements: string): Promise<void> {
  await session.query('savepoint before_locks');
  await withLockRetries(session, retries, async () => {
    try {
      await session.query(statements);
    } catch (error) {
      await session.cleanUp('rollback to savepoint before_locks');
      throw error;
    }
  });
}

interface ReferenceRow {
  readonly conversations: number;
  readonly parents: number;
  readonly wanted_conversations: number;
  readonly wanted_parents: number;
}

/** @throws AisecError ARCHIVE_BLOCKED when something was deleted since it was looked for. */
async function lockReferences(session: Session): Promise<void> {
  const { rows } = await session.query<ReferenceRow>(sqlFile('archive/import-lock-references'));
  const [row] = rows;
  if (row?.conversations === row?.wanted_conversations && row?.parents === row?.wanted_parents) return;
  throw new AisecError('ARCHIVE_BLOCKED', 'a conversation or message was deleted while its replies were imported', {
    hint: 'No changes were made. Run it again.',
  });
}

type Counts = Pick<ImportResult, 'outcome' | 'rows' | 'skippedRows' | 'nulledParents'>;

async function stageAndInsert(
  session: Session,
  options: ImportOptions,
  manifest: Manifest,
  month: Month,
  reporting: Reporting,
): Promise<Counts> {
  const { file, root } = options;
  const startedAt = await serverTime(session);
  await session.query('create unlogged table aisec_import (like messages_archive including defaults)');
  await loadFile(session, file, manifest, (count) =>
    reporting.onProgress(`importing ${month}: ${count} of ${manifest.rows} messages loaded`),
  );
  await session.query('create index on aisec_import (id); analyze aisec_import');
  const staged = await readStaged(session, month);
  if (staged.rows > 0 && staged.existing_ids === staged.rows && (await countDifferent(session, root, month)) === 0) {
    await session.query('drop table aisec_import');
    return { outcome: 'present', rows: 0, skippedRows: 0, nulledParents: 0 };
  }
  refuseStaged(file, staged, manifest.rows, options);
  await adaptStaged(session, staged, options);
  const { rows: counted } = await session.query<{ rows: number }>('select count(*)::float8 as rows from aisec_import');
  const rows = counted[0]?.rows ?? 0;
  const counts = { rows, skippedRows: staged.rows - rows, nulledParents: staged.missing_parents };
  if (options.isDryRun) return { outcome: 'planned', ...counts };
  reporting.onProgress(`importing ${month}: inserting ${rows} messages`);
  const beginning =
    root === 'messages'
      ? 'select aisec_begin_message_move()'
      : `select aisec_begin_message_move(); select aisec_ensure_archive_month('${firstDay(month)}')`;
  // One budget for both times: --max-wait bounds the whole run.
  const retries = {
    budget: new LockBudget(options.maxWaitMs),
    onRetry: (reason: string) => reporting.onProgress(`importing ${month}: waiting for a lock: ${reason}`),
  };
  await takeLocks(session, retries, beginning);
  await lockReferences(session);
  await insertStaged(session, root);
  const different = await countDifferent(session, root, month);
  if (different > 0)
    throw new AisecError('DATABASE_FAILED', `${different} messages were not stored as the file has them`, {
      detail: 'A trigger or a rule of the table changed or refused them.',
      hint: 'No changes were made.',
    });
  await session.query(sqlFile('archive/record-import'), [
    firstDay(month),
    nameIn(root, month),
    rows,
    file,
    manifest.sha256,
    manifest.rows,
    startedAt,
    aisecVersion(),
  ]);
  await session.query('drop table aisec_import');
  await takeLocks(session, retries, 'select aisec_record_message_move()');
  return { outcome: 'imported', ...counts };
}

/**
 * Reads an export back: verified against its manifest first, then loaded, checked, inserted with its keys and compared in
 * one transaction. Stopped at any moment, nothing of it is there.
 *
 * @throws AisecError EXPORT_INVALID, ARCHIVE_MONTH, ARCHIVE_BLOCKED naming messages that exist or whose references do not,
 *   LOCK_TIMEOUT, RUN_LOCKED, MIGRATION_PENDING, PRIVILEGE_MISSING.
 */
export async function importExport(
  session: Session,
  options: ImportOptions,
  reporting: Reporting,
): Promise<ImportResult> {
  const manifest = await verifyFile(options.file, session.signal, (count) =>
    reporting.onProgress(`reading ${options.file}: ${count} messages`),
  );
  const month = parseMonth(manifest.month);
  if (month === undefined) throw new AisecError('EXPORT_INVALID', `invalid month "${manifest.month}" in the manifest`);
  const work = async (): Promise<ImportResult> => {
    const deadlockTimeoutMs = await refuseMonth(session, month, options.root);
    await refuseOtherColumns(session, options.file, manifest);
    await session.query(`set lock_timeout = ${lockTimeoutBelowDeadlockMs(deadlockTimeoutMs)}`);
    if (options.root === 'messages' && !options.isDryRun) await makeLiveMonth(session, month);
    const within = options.isDryRun ? withRollback : withTransaction;
    const counts = await within(session, () => stageAndInsert(session, options, manifest, month, reporting));
    return {
      database: session.info.label,
      schema: options.schema,
      file: options.file,
      month,
      isDryRun: options.isDryRun,
      partition: nameIn(options.root, month),
      fileRows: manifest.rows,
      ...counts,
    };
  };
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return options.isDryRun ? work() : withRunLock(session, lock, work);
}
