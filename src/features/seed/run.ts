import { blockedBy } from '../../adapters/postgres/locks/blocker.js';
import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { Observer } from '../../adapters/postgres/locks/observer.js';
import { withRollback, withTransaction, type Session } from '../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { explainMissingObject } from './failure.js';
import {
  setPasswordForSession,
  passwordFor,
  refuseUnseenPassword,
  type PasswordChoice,
  type PasswordUse,
} from './password-choice.js';
import { runFiles, type FileOutcome, type SeededFile } from './run-files.js';
import { takesPassword, type SeedSet } from './seed-directory.js';

export interface SeedOptions {
  readonly schema: string;
  readonly isDryRun: boolean;
  readonly lockTimeoutMs: number;
  /** How long to wait for another run. */
  readonly waitMs: number;
  readonly password: PasswordChoice;
}

export interface SeedResult {
  readonly database: string;
  readonly schema: string;
  readonly set: string;
  readonly isDryRun: boolean;
  readonly rows: number;
  readonly files: readonly SeededFile[];
  /** Null when no statement of the set reads the password. */
  readonly adminPassword: PasswordUse | null;
}

function passwordUse(set: SeedSet, choice: PasswordChoice, outcomes: readonly FileOutcome[]): PasswordUse | null {
  if (!takesPassword(set)) return null;
  if (outcomes.every(({ rowsWithPassword }) => rowsWithPassword === 0)) return 'not-needed';
  return choice.kind === 'given' ? 'given' : 'generated';
}

function lockFailure(error: AisecError, blockers: readonly string[]): AisecError {
  return new AisecError(
    'LOCK_TIMEOUT',
    'another session holds a row or table that the seed set needs; no changes were made',
    {
      detail: blockedBy(blockers),
      hint: 'Run it again when that session is done.',
      sqlState: error.sqlState,
      cause: error.cause,
    },
  );
}

async function attempt(
  session: Session,
  set: SeedSet,
  options: SeedOptions,
  reporting: Reporting,
): Promise<SeedResult> {
  const { password: choice, schema, isDryRun } = options;
  const password = takesPassword(set) ? passwordFor(choice) : '';
  let adminPassword: PasswordUse | null = null;
  const work = async (): Promise<SeedResult> => {
    if (takesPassword(set)) await setPasswordForSession(session, password, reporting.onWarning);
    const outcomes = await runFiles(session, set, password, reporting.onProgress);
    // What would fail at COMMIT fails here, in a dry run, too.
    await session.query('set constraints all immediate');
    adminPassword = passwordUse(set, choice, outcomes);
    if (adminPassword === 'generated') refuseUnseenPassword(choice, set.name);
    const files = outcomes.map(({ name, rows, writes }) => ({ name, rows, writes }));
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    return { database: session.info.label, schema, set: set.name, isDryRun, rows, files, adminPassword };
  };
  const show = (isCertain: boolean): void => {
    if (choice.kind === 'generate' && adminPassword === 'generated') choice.show(password, isCertain);
  };
  if (isDryRun) return withRollback(session, work);
  try {
    const result = await withTransaction(session, work);
    show(true);
    return result;
  } catch (error) {
    // The row may be there, and its password could not be shown again.
    if (isAisecError(error, 'CONNECTION_LOST')) show(false);
    throw error;
  }
}

/**
 * Runs the files of a seed set in one transaction: all of them or none. Rows that are there stay as they are when the
 * files say `on conflict do nothing`, so a second run writes nothing. A dry run is the same run, rolled back.
 *
 * @throws AisecError SEED_FAILED with the place, MIGRATION_PENDING, REFUSED when a password is needed and there is
 *   neither one nor a terminal, RUN_LOCKED, LOCK_TIMEOUT naming the blocker, PRIVILEGE_MISSING, CONNECTION_LOST.
 */
export async function runSeedSet(
  session: Session,
  set: SeedSet,
  options: SeedOptions,
  reporting: Reporting,
): Promise<SeedResult> {
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    const observer = new Observer(session, options.lockTimeoutMs, reporting.onProgress);
    try {
      return await observer.during(() => attempt(session, set, options, reporting));
    } catch (error) {
      if (isAisecError(error, 'LOCK_TIMEOUT')) throw lockFailure(error, observer.blockers);
      throw await explainMissingObject(error, session, options.schema);
    } finally {
      await observer.close();
    }
  });
}
