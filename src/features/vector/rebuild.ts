import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { LockBudget, retryForLocks } from '../../adapters/postgres/locks/lock-budget.js';
import { Observer } from '../../adapters/postgres/locks/observer.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import { buildMemoryBytes, wantedShape, type IndexShape, type ShapeOptions } from './fit.js';
import { planRebuild, type RebuildStep } from './plan.js';
import { MAIN_INDEX, NEXT_INDEX, readVectorState, type VectorState } from './vector-index.js';

export interface RebuildOptions extends ShapeOptions {
  readonly schema: string;
  /** The most that maintenance_work_mem is raised to for the build. */
  readonly memoryBytes: number;
  readonly isForced: boolean;
  readonly isDryRun: boolean;
  /** How long to wait for another run. */
  readonly waitMs: number;
}

export interface RebuildResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** Rows with an embedding. */
  readonly rows: number;
  /** What the index is, or would be. */
  readonly shape: IndexShape;
  /** maintenance_work_mem of the build. */
  readonly memoryBytes: number;
  /** What a build needs to stay in memory. */
  readonly wantedMemoryBytes: number;
  readonly steps: readonly (RebuildStep & { readonly durationMs: number | null })[];
}

const RENAME_LOCK_TIMEOUT_MS = 200;
const RENAME_WITHIN_MS = 90_000;
const CLEAN_UP_WITHIN_MS = 3000;

/**
 * What a stopped build leaves is INVALID and costs every write. Dropping it waits for open transactions, so only for a
 * moment: the next run finds it anyway.
 */
async function removeUnfinished(session: Session, schema: string): Promise<void> {
  const name = `${quoteIdentifier(schema)}.${quoteIdentifier(NEXT_INDEX)}`;
  try {
    await session.cleanUp(`set statement_timeout = ${CLEAN_UP_WITHIN_MS}`);
    await session.cleanUp(`drop index concurrently if exists ${name}`);
  } catch {
    // Left for the next run.
  }
}

/** CREATE and DROP INDEX CONCURRENTLY wait for every older transaction and block no other session while they wait. */
async function runWithoutLocks(session: Session, step: RebuildStep, observer: Observer): Promise<void> {
  await session.query('set lock_timeout = 0');
  await observer.during(() => session.query(step.statements[0] ?? ''));
}

/** SHARE UPDATE EXCLUSIVE on the indexes: neither a search nor a write waits for it. */
async function rename(session: Session, step: RebuildStep, observer: Observer): Promise<void> {
  await retryForLocks({ budget: new LockBudget(RENAME_WITHIN_MS), signal: session.signal }, () =>
    observer.during(() =>
      withTransaction(session, async () => {
        await session.query(`set local lock_timeout = ${RENAME_LOCK_TIMEOUT_MS}`);
        for (const statement of step.statements) await session.query(statement);
      }),
    ),
  );
}

const AFTERWARDS = {
  create: 'The index in use is as it was. Run it again: what was begun is removed first.',
  others: 'Run it again: it continues from here.',
};

function stopped(error: AisecError, step: RebuildStep, blockers: readonly string[]): AisecError {
  return new AisecError(error.code, `${MAIN_INDEX} was not rebuilt: ${error.message}`, {
    detail:
      [error.detail, blockers.length === 0 ? undefined : `Blocked by ${blockers.join('; ')}.`]
        .filter((part) => part !== undefined)
        .join(' ') || undefined,
    hint: error.code === 'PRIVILEGE_MISSING' ? error.hint : AFTERWARDS[step.kind === 'create' ? 'create' : 'others'],
    sqlState: error.sqlState,
    cause: error.cause,
  });
}

async function execute(
  session: Session,
  schema: string,
  steps: readonly RebuildStep[],
  reporting: Reporting,
): Promise<RebuildResult['steps']> {
  const observer = new Observer(session, 0, reporting.onProgress);
  const done: (RebuildStep & { durationMs: number })[] = [];
  try {
    for (const step of steps) {
      reporting.onProgress(step.kind === 'create' ? 'building the index' : `${step.kind}: ${step.why}`);
      const startedMs = performance.now();
      try {
        await (step.kind === 'rename' ? rename(session, step, observer) : runWithoutLocks(session, step, observer));
      } catch (error) {
        if (step.kind === 'create') await removeUnfinished(session, schema);
        throw isAisecError(error) ? stopped(error, step, observer.blockers) : error;
      }
      done.push({ ...step, durationMs: Math.round(performance.now() - startedMs) });
    }
    return done;
  } finally {
    await observer.close();
  }
}

function makePlan(session: Session, state: VectorState, options: RebuildOptions) {
  const main = state.indexes.find(({ name }) => name === MAIN_INDEX);
  const shape = wantedShape(state, main, options);
  const steps = planRebuild(state, {
    schema: options.schema,
    shape,
    areListsGiven: options.lists !== undefined,
    isForced: options.isForced,
    isConcurrent: session.info.kind === 'server',
  });
  const wantedMemoryBytes = buildMemoryBytes(state, shape);
  const memoryBytes = Math.max(state.maintenanceBytes, Math.min(wantedMemoryBytes, options.memoryBytes));
  return { shape, steps, wantedMemoryBytes, memoryBytes };
}

/**
 * Builds the vector index of knowledge_base again, on the rows that are there, beside the one in use, and puts it in its
 * place by renaming: searches and writes continue all the while. Killed at any moment and run again, it continues; the name
 * of the index is there at every moment. Nothing is done where the index is as wanted and was trained on about as many
 * rows. A dry run is the same plan, not executed.
 *
 * @throws AisecError MIGRATION_PENDING, VECTOR_INDEX, RUN_LOCKED, PRIVILEGE_MISSING, DISK_FULL, LOCK_TIMEOUT, CONNECTION_LOST, INTERRUPTED.
 */
export async function rebuildVectorIndex(
  session: Session,
  options: RebuildOptions,
  reporting: Reporting,
): Promise<RebuildResult> {
  const { schema, isDryRun } = options;
  const run = async (): Promise<RebuildResult> => {
    const state = await readVectorState(session, schema);
    if (options.type === 'halfvec' && !state.hasHalfvec)
      throw new AisecError('VECTOR_INDEX', 'this version of pgvector has no halfvec', {
        hint: 'Install pgvector 0.7 or newer, and run: alter extension vector update;',
      });
    const { steps, ...plan } = makePlan(session, state, options);
    const facts = { database: session.info.label, schema, isDryRun, rows: state.rows, ...plan };
    if (isDryRun) return { ...facts, steps: steps.map((step) => ({ ...step, durationMs: null })) };
    await session.query(`set maintenance_work_mem = ${Math.ceil(plan.memoryBytes / 1024)}`);
    return { ...facts, steps: await execute(session, schema, steps, reporting) };
  };
  if (isDryRun) return run();
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, run);
}
