import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import type { Finding } from '../../../base/finding.js';
import type { Reporting } from '../../../base/reporting.js';
import { ensurePartitions } from '../../messages/index.js';
import { recordMigrations } from '../baseline/baseline.js';
import { compareWithReplay, type CompareOptions } from '../drift/drift.js';
import type { DriftFinding } from '../drift/findings.js';
import { isBundled, labelOf } from '../files/source.js';
import { preflight } from '../preflight.js';
import { refuseUnpaired } from '../history/history-faults.js';
import { compareWithDatabase } from '../prepare.js';
import { readAdoptFacts, type AdoptFacts } from './facts.js';
import { keySteps, loadSteps } from './key-steps.js';
import { functionSteps, relationSteps } from './object-steps.js';
import { adoptObstacles } from './obstacles.js';
import { indexSteps, standAside } from './index-steps.js';
import { archiveColumnSteps } from './own-columns.js';
import { runStep } from './run-step.js';
import { brieflyLocked, RATES, workMs, type AdoptStep, type StepLock } from './step.js';
import { swapSteps } from './swap-step.js';
import { accessSteps, constraintSteps } from './table-steps.js';

export interface AdoptOptions extends CompareOptions {
  readonly isDryRun: boolean;
  /** The longest that one statement waits for a lock, and every writer behind it. */
  readonly lockTimeoutMs: number;
  /** How long it waits for locks and older transactions in all, for each step. */
  readonly maxWaitMs: number;
  readonly waitMs: number;
  /** Sees the plan before anything is changed, and throws to refuse it. */
  readonly confirm: (plan: readonly PlannedStep[]) => Promise<void>;
}

export interface PlannedStep {
  readonly phase: AdoptStep['phase'];
  readonly what: string;
  readonly locks: readonly StepLock[];
  readonly expectedMs: number;
  readonly statements: readonly string[];
  /** Null until it has run. */
  readonly durationMs: number | null;
}

export interface AdoptResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** What stands in the way; then nothing was changed. */
  readonly obstacles: readonly Finding[];
  readonly steps: readonly PlannedStep[];
  /** Migrations that were recorded at the end, or are to be. */
  readonly recorded: readonly string[];
  /** What differs from the migrations afterwards: privileges and objects that the application has, and no obstacle. */
  readonly left: readonly DriftFinding[];
  readonly isAdopted: boolean;
}

function refuseForeignOwner(session: Session, { tables, wanted }: AdoptFacts): void {
  const foreign = wanted.tables.flatMap(({ name }) => {
    const fact = tables.get(name);
    return fact === undefined || fact.is_owned ? [] : [fact];
  });
  const [first] = foreign;
  if (first === undefined) return;
  throw new AisecError('PRIVILEGE_MISSING', `this role does not own the table ${first.name} of ${session.info.label}`, {
    detail: `Its owner is ${first.owner}. No changes were made.`,
    hint: `Run it as ${first.owner}, or as a role that is a member of it.`,
  });
}

function monthStep(facts: AdoptFacts): readonly AdoptStep[] {
  const { row_estimate: rows = 0 } = facts.tables.get('messages') ?? facts.tables.get('messages_default') ?? {};
  return [
    {
      kind: 'work',
      phase: 'months',
      what: 'messages move from the default partition to their months: copied beside, compared, put in place',
      locks: [
        brieflyLocked('messages', 'access exclusive'),
        brieflyLocked('conversations', 'access exclusive'),
        brieflyLocked('message_keys', 'access exclusive'),
      ],
      expectedMs: workMs(rows, RATES.months),
      statements: [],
      run: async (session, { maxWaitMs, onProgress }) => {
        const options = { schema: facts.schema, ahead: 3, from: undefined, isDryRun: false, waitMs: 0, maxWaitMs };
        const { months } = await ensurePartitions(session, options, { onProgress });
        const failed = months.find(({ problem }) => problem !== null);
        if (failed === undefined) return;
        throw new AisecError(
          failed.isLockProblem ? 'LOCK_TIMEOUT' : 'PARTITION_NOT_MADE',
          `month ${failed.month} of messages could not be made: ${failed.problem ?? ''}`,
          {
            detail: 'Its messages are in the default partition; none is lost.',
            hint: failed.fix ?? 'Run it again: it continues from there.',
          },
        );
      },
    },
  ];
}

/** All steps, by what the catalogs say: pure, and the same for the dry run. One that is done is no step. */
function planAdoption(found: AdoptFacts): readonly AdoptStep[] {
  const { steps, facts } = standAside(found);
  return [
    ...steps,
    ...functionSteps(facts),
    ...loadSteps(facts),
    ...relationSteps(facts),
    ...indexSteps(facts),
    ...constraintSteps(facts),
    ...accessSteps(facts),
    ...keySteps(facts),
    ...archiveColumnSteps(facts),
    ...swapSteps(facts),
    ...monthStep(facts),
  ];
}

function planned(
  { phase, what, locks, expectedMs, statements }: AdoptStep,
  durationMs: number | null = null,
): PlannedStep {
  return { phase, what, locks, expectedMs, statements, durationMs };
}

/** What the application has been given, and what it has made, stays; anything else has to be as the migrations make it. */
function isLeftOver({ state }: DriftFinding): boolean {
  return state === 'extra' || state === 'unmanaged';
}

async function runAll(
  session: Session,
  steps: readonly AdoptStep[],
  options: AdoptOptions,
  reporting: Reporting,
): Promise<readonly PlannedStep[]> {
  const done: PlannedStep[] = [];
  for (const [index, step] of steps.entries()) {
    reporting.onProgress(`${step.what} (${index + 1} of ${steps.length})`);
    const startedMs = performance.now();
    await runStep(session, step, { ...options, ...reporting });
    done.push(planned(step, Math.round(performance.now() - startedMs)));
  }
  return done;
}

function refuseDifferences(findings: readonly DriftFinding[]): void {
  const [first, ...others] = findings.filter((finding) => !isLeftOver(finding));
  if (first === undefined) return;
  throw new AisecError('MIGRATION_HISTORY', `the schema still differs from the migrations: ${first.message}`, {
    detail: others.length === 0 ? undefined : `Also:\n  ${others.map(({ message }) => message).join('\n  ')}`,
    hint: `Fix it and run it again: ${first.fix ?? first.impact}`,
  });
}

async function adopt(session: Session, given: AdoptOptions, reporting: Reporting): Promise<AdoptResult> {
  // A team's own migrations run afterwards, as ever.
  const options = { ...given, files: given.files.filter(isBundled) };
  const { schema, files, isDryRun } = options;
  const { statuses } = await compareWithDatabase(session, options);
  refuseUnpaired(statuses, schema);
  const recorded = new Set(
    statuses.filter(({ entry }) => entry?.checksum !== null && entry !== undefined).map(labelOf),
  );
  const toRecord = files.filter((file) => !recorded.has(labelOf(file)));
  const base = { database: session.info.label, schema, isDryRun };
  if (toRecord.length === 0) return { ...base, obstacles: [], steps: [], recorded: [], left: [], isAdopted: true };
  await preflight(session, files, options);
  const facts = await readAdoptFacts(session, options);
  refuseForeignOwner(session, facts);
  const obstacles = await adoptObstacles(session, facts);
  const steps = planAdoption(facts);
  const plan = steps.map((step) => planned(step));
  const labels = toRecord.map(labelOf);
  if (obstacles.length > 0) return { ...base, obstacles, steps: plan, recorded: [], left: [], isAdopted: false };
  if (isDryRun) return { ...base, obstacles, steps: plan, recorded: labels, left: [], isAdopted: false };
  await options.confirm(plan);
  const done = await runAll(session, steps, options, reporting);
  reporting.onProgress('comparing the schema with the migrations');
  const left = await compareWithReplay(session, files, options);
  refuseDifferences(left);
  await recordMigrations(session, schema, toRecord);
  return { ...base, obstacles, steps: done, recorded: labels, left, isAdopted: true };
}

/**
 * Brings a database that has the tables of the platform already, with its rows and beside live traffic, to the schema of the
 * migrations, and records them. Short changes of the catalog give up their locks and retry; whatever reads rows stops no
 * writer. Killed at any moment and run again, it continues from what is there.
 *
 * @throws AisecError LOCK_TIMEOUT, RUN_LOCKED, PRIVILEGE_MISSING, EXTENSION_MISSING, MIGRATION_HISTORY, REFUSED,
 *   PARTITION_NOT_MADE, CONNECTION_LOST, DISK_FULL.
 */
export async function migrateAdopt(
  session: Session,
  options: AdoptOptions,
  reporting: Reporting,
): Promise<AdoptResult> {
  if (options.isDryRun) return adopt(session, options, reporting);
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, () => adopt(session, options, reporting));
}
