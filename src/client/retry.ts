import { setTimeout as sleep } from 'node:timers/promises';

import { ConnectionLostError } from '../adapters/postgres/pool/connection-lost.js';
import { AisecError, messageOf } from '../base/errors.js';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 2000;

/** serialization_failure, deadlock_detected. */
const CONFLICTS: readonly unknown[] = ['40001', '40P01'];
/** What a server says that is shutting down or starting up; in a statement it ends the connection. */
const SHUTDOWNS: readonly unknown[] = ['57P01', '57P02', '57P03'];
const UNKNOWN_OUTCOME = '08007';
const IDLE_TIMEOUT = '25P03';

/** No connection for want of a server, rather than for want of a free one: waiting callers would only be more. */
function isServerAway(error: AisecError): boolean {
  return error.code === 'DATABASE_UNREACHABLE' && !/timeout exceeded/.test(messageOf(error.cause ?? ''));
}

/** Whether the same transaction may well succeed when it is run again, and was certainly not committed. */
function mayPass(error: unknown, isReadOnly: boolean): boolean {
  if (error instanceof ConnectionLostError) {
    if (error.code === UNKNOWN_OUTCOME) return isReadOnly;
    // The callback would pause for too long again.
    return error.code !== IDLE_TIMEOUT;
  }
  if (error instanceof AisecError) {
    return error.code === 'ROLLED_BACK' ? mayPass(error.cause, isReadOnly) : isServerAway(error);
  }
  const { code } = (error ?? {}) as { code?: unknown };
  return [...CONFLICTS, ...SHUTDOWNS].includes(code);
}

interface RetryOptions {
  readonly times: number;
  readonly isReadOnly: boolean;
  /** Ends the wait, with its reason. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs a transaction, and up to `times` times again while it ends with a conflict or its connection is lost. Waits in
 * between, at random and each time up to twice as long, so that those who were in each other's way do not meet again.
 */
export async function withRetry<Result>(
  { times, isReadOnly, signal }: RetryOptions,
  run: (failures: number) => Promise<Result>,
): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await run(failures);
    } catch (error) {
      if (failures >= times || signal?.aborted === true || !mayPass(error, isReadOnly)) throw error;
      const waitMs = Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
      await sleep(waitMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}
