import type { ServerTarget } from '../../../config/database-target.js';

/** What a server says or a system, while the server is not up: no process listens, its name is not known, it is starting. */
const NOT_UP_YET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  '57P03',
]);

/** Whether a connection failed in a way that may be over in a moment, or does not concern another server. */
export function isNotUpYet(thrown: unknown): boolean {
  const { code, message = '' } = thrown as { readonly code?: string; readonly message?: string };
  return (
    NOT_UP_YET.has(code ?? '') || /terminated unexpectedly|timeout expired|due to connection timeout/i.test(message)
  );
}

export interface ConnectAttempt {
  readonly target: ServerTarget;
  readonly error: unknown;
}

/** None of several servers could be had. */
export class NoServerFound extends Error {
  constructor(readonly attempts: readonly ConnectAttempt[]) {
    super('none of the servers could be had');
  }
}
