import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { isAisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Check, Outcome, Subject } from './check.js';
import { findingOf, skippedOf, type Finding, type SkippedCheck } from './finding.js';
import { shortenLockWait } from './session-limits.js';
import { unseenOnCitus } from './on-citus.js';

/** What came of one check. */
export interface Examined {
  readonly findings: readonly Finding[];
  readonly skipped: SkippedCheck | null;
  /** Null where the check applies. */
  readonly notApplicable: string | null;
}

const QUERY_CANCELED = '57014';

interface HolderRow {
  readonly pid: number;
  readonly application_name: string | null;
  readonly is_held: boolean;
}

/** The sessions that hold or wait for ACCESS EXCLUSIVE on a table of this database, in words. */
async function lockHolders(session: Session): Promise<string> {
  const { rows } = await session.query<HolderRow>(sqlFile('doctor/exclusive-locks'));
  if (rows.length === 0) return 'a session that has gone since';
  return rows
    .slice(0, 3)
    .map(({ pid, application_name: name, is_held: isHeld }) => {
      const who = `pid ${pid}${name === null || name === '' ? '' : ` (${name})`}`;
      return isHeld ? who : `${who}, which waits itself`;
    })
    .join(' and ');
}

/** Why a check failed, when that says nothing of the database's health; undefined: the run itself cannot continue. */
async function reasonOf(error: unknown, session: Subject['session']): Promise<string | undefined> {
  if (isAisecError(error, 'LOCK_TIMEOUT')) {
    await shortenLockWait(session);
    return `what it reads is locked by ${await lockHolders(session)}`;
  }
  if (isAisecError(error, 'PRIVILEGE_MISSING', 'MIGRATION_PENDING')) return error.message;
  if (!isAisecError(error, 'DATABASE_FAILED', 'NODE_UNREACHABLE')) return undefined;
  return error.sqlState === QUERY_CANCELED ? 'it takes too long on this database' : `the server says: ${error.message}`;
}

async function outcomeOf(check: Check, subject: Subject): Promise<Outcome> {
  try {
    return (await unseenOnCitus(check, subject)) ?? (await check.examine(subject));
  } catch (error) {
    const reason = await reasonOf(error, subject.session);
    if (reason === undefined) throw error;
    return { skipped: reason, lacksGrant: isAisecError(error, 'PRIVILEGE_MISSING') };
  }
}

/**
 * Runs one check. What it could not see, because of a missing privilege, a lock, or an object that vanished, is a skip.
 *
 * @throws AisecError CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function examine(check: Check, subject: Subject): Promise<Examined> {
  const outcome = await outcomeOf(check, subject);
  if ('notApplicable' in outcome) return { findings: [], skipped: null, notApplicable: outcome.notApplicable };
  if (!('skipped' in outcome)) {
    const faults = 'message' in outcome ? [outcome] : outcome;
    return { findings: faults.map((fault) => findingOf(check, fault)), skipped: null, notApplicable: null };
  }
  const fix = outcome.lacksGrant
    ? check.grant?.(quoteIdentifier(subject.schema), quoteIdentifier(subject.roleName))
    : null;
  return { findings: [], skipped: skippedOf(check, outcome.skipped, fix ?? null), notApplicable: null };
}
