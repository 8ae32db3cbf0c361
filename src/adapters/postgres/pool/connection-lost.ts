import { messageOf } from '../../../base/errors.js';

interface ServerError {
  readonly code?: string;
  readonly severity?: string;
}

/** https://www.postgresql.org/docs/16/errcodes-appendix.html */
const CONNECTION_FAILURE = '08006';
const RESOLUTION_UNKNOWN = '08007';
const IDLE_IN_TRANSACTION = '25P03';

const HINTS: Readonly<Record<string, string>> = {
  [IDLE_IN_TRANSACTION]:
    'The callback of withUser paused for longer than idleTimeoutMs. Do what takes long before or after it, or raise idleTimeoutMs.',
  [RESOLUTION_UNKNOWN]: 'Look whether the changes are there before running the transaction again.',
};

/**
 * A connection ended while it was held. `code` and `sqlState` are the SQLSTATE, as in the errors of statements: what the
 * server gave as its reason (25P03, 57P01 ...), 08006 when there was none, 08007 when it ended during COMMIT, so that
 * it is unknown whether the transaction was committed.
 */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = HINTS[code] ?? 'What was not committed was rolled back; run the transaction again.';
  }

  get sqlState(): string {
    return this.code;
  }
}

function reasonOf(error: unknown): string | undefined {
  const { code, severity } = error as ServerError;
  return severity === 'FATAL' || severity === 'PANIC' ? code : undefined;
}

/** Whether the server ends the connection with this error. */
export function isFatal(error: unknown): boolean {
  return reasonOf(error) !== undefined;
}

/** @param endedBy what was heard first. */
export function connectionLost(endedBy: unknown): ConnectionLostError {
  if (endedBy instanceof ConnectionLostError) return endedBy;
  const reason = reasonOf(endedBy);
  if (reason !== undefined) return new ConnectionLostError(reason, messageOf(endedBy), endedBy);
  const message = 'the connection to the database broke';
  return new ConnectionLostError(CONNECTION_FAILURE, `${message}: ${messageOf(endedBy)}`, endedBy);
}

/** The same, during COMMIT. An idle transaction was ended before it: the server does not do that at work. */
export function lostAtCommit(lost: ConnectionLostError): ConnectionLostError {
  if (lost.code === IDLE_IN_TRANSACTION) return lost;
  const message = 'the connection broke during COMMIT: whether the transaction was committed is unknown';
  return new ConnectionLostError(RESOLUTION_UNKNOWN, message, lost);
}
