import { isAisecError } from '../../../base/errors.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { inReadOnly } from './read-only.js';

/** Behind each lies one lock that came between the look at pg_locks and the measuring: 0.6 s in all. */
const ATTEMPTS = 3;

/**
 * Runs a query that measures relations and leaves out those it finds locked. When a lock comes in between it is run
 * again, and in the end with `isEstimated`, which must make it measure nothing.
 *
 * @throws AisecError whatever the callback throws, but not LOCK_TIMEOUT.
 */
export async function whileMeasuring<Result>(
  session: Session,
  measure: (isEstimated: boolean) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      return await inReadOnly(session, () => measure(false));
    } catch (error) {
      if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
    }
  }
  return inReadOnly(session, () => measure(true));
}
