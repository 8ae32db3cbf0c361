import { withPooledSession } from '../../adapters/postgres/pool/pooled-session.js';
import type { Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import type { AnyDatabase } from '../any-database.js';
import { driverOf } from '../driver-of.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** A slow disk may let the transaction wait between two fetches. */
const IDLE_TIMEOUT_MS = 600_000;

function isSignal(signal: unknown): boolean {
  const { aborted, addEventListener } = (signal ?? {}) as { aborted?: unknown; addEventListener?: unknown };
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

/**
 * Runs work on one person in a session of its own.
 *
 * @throws AisecError USAGE for an id that is not a UUID; the reason of the signal when that is aborted.
 */
export async function withPersonSession<Result>(
  caller: string,
  db: AnyDatabase,
  userId: string,
  signal: AbortSignal | undefined,
  use: (session: Session, schema: string) => Promise<Result>,
): Promise<Result> {
  const driver = driverOf(db, caller);
  if (typeof userId !== 'string' || !UUID.test(userId))
    throw new AisecError('USAGE', `${caller}: the user id is not a UUID`, {
      hint: 'Give the id of the row in users.',
    });
  if (signal !== undefined && !isSignal(signal))
    throw new AisecError('USAGE', `${caller}: signal is not an AbortSignal`, {
      hint: 'Give controller.signal, request.signal or AbortSignal.timeout(ms).',
    });
  signal?.throwIfAborted();
  try {
    return await withPooledSession(
      driver,
      { signal: signal ?? new AbortController().signal, idleTimeoutMs: IDLE_TIMEOUT_MS },
      use,
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
