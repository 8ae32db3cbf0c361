import { LockBudget, retryForLocks } from '../../../adapters/postgres/locks/lock-budget.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import { dropInvalidIndex } from '../apply/invalid-indexes.js';
import { name } from '../drift/fix/names.js';
import type { AdoptStep, StepLock, StepWork } from './step.js';

export interface StepOptions extends StepWork {
  readonly schema: string;
  readonly lockTimeoutMs: number;
}

/** The strongest locks first, in one order, and each in its final mode: no other session deadlocks with a lock that grows. */
function lockStatements(locks: readonly StepLock[]): readonly string[] {
  return locks.map(({ table, mode }) => `lock table only ${name(table)} in ${mode} mode`);
}

async function brieflyOnce(
  session: Session,
  locks: readonly StepLock[],
  statements: readonly string[],
  lockTimeoutMs: number,
): Promise<void> {
  await withTransaction(session, async () => {
    await session.query(`set local lock_timeout = ${lockTimeoutMs}; set local client_min_messages to warning`);
    // One statement for all of them: the timeout counts for each, so that they share it.
    for (const lock of lockStatements(locks)) await session.query(lock);
    await session.query(statements.join(';\n'));
  });
}

/** Retries until the time is spent; sessions that queued behind an attempt get through in the pause. */
async function briefly(
  session: Session,
  step: AdoptStep,
  statements: readonly string[],
  options: StepOptions,
): Promise<void> {
  const { lockTimeoutMs, maxWaitMs, onProgress } = options;
  const views = step.locks.filter(({ held }) => held === 'moment');
  // All locks together wait no longer than one may.
  const eachMs = Math.max(10, Math.floor(lockTimeoutMs / Math.max(1, views.length)));
  const onRetry = (_error: AisecError, attempt: number): void =>
    onProgress(`${step.what}: waiting for a lock, attempt ${attempt + 1}`);
  const retries = { budget: new LockBudget(maxWaitMs), signal: session.signal, onRetry };
  await retryForLocks(retries, () => brieflyOnce(session, views, statements, eachMs));
}

function isRetried(statement: string): boolean {
  return /^alter table \S+ (?:alter|add|drop)/.test(statement);
}

/** Statements that read rows wait for older transactions and for nothing that stops a writer. */
async function alone(
  session: Session,
  step: AdoptStep & { readonly kind: 'alone' },
  options: StepOptions,
): Promise<void> {
  if (step.index !== undefined) await dropInvalidIndex(session, options.schema, step.index);
  for (const statement of step.statements) {
    if (isRetried(statement)) await briefly(session, { ...step, locks: [] }, [statement], options);
    else {
      await session.query('set lock_timeout = 0');
      await session.query(statement);
    }
  }
}

/** Runs one step. @throws AisecError LOCK_TIMEOUT, DATABASE_FAILED with the step; what was committed stays. */
export async function runStep(session: Session, step: AdoptStep, options: StepOptions): Promise<void> {
  try {
    if (step.kind === 'transaction') await briefly(session, step, step.statements, options);
    else if (step.kind === 'alone') await alone(session, step, options);
    else await step.run(session, options);
  } catch (error) {
    if (!isAisecError(error) || endsRun(error) || error.code === 'RUN_LOCKED') throw error;
    throw new AisecError(error.code, `${step.what}: ${error.message}`, {
      detail: error.detail,
      hint: [
        error.hint,
        'What was done stays, and the application works with it: run it again, it continues from there.',
      ]
        .filter((part) => part !== undefined)
        .join(' '),
      sqlState: error.sqlState,
      cause: error,
    });
  } finally {
    await session.cleanUp(`set lock_timeout = ${options.lockTimeoutMs}`).catch(() => undefined);
  }
}
