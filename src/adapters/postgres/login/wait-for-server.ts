import { AisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';

const PAUSE_MS = 250;

/** What a server says or a system, while the server is not up yet or has no connection left; both pass by themselves. */
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
  '53300',
]);

function isNotUpYet(thrown: unknown): boolean {
  const { code, message = '' } = thrown as { readonly code?: string; readonly message?: string };
  return NOT_UP_YET.has(code ?? '') || /terminated unexpectedly|timeout expired/i.test(message);
}

export interface WaitOptions {
  /** 0: one attempt. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Called once, when the first attempt made no connection. */
  readonly onWait: () => void;
}

/**
 * Connects, retrying within `waitMs` while the server is not up yet or has no connection left. Whatever else it says, such
 * as a wrong password, ends the wait at once.
 */
export async function connectWithin<Connection>(
  { waitMs, signal, onWait }: WaitOptions,
  connect: () => Promise<Connection>,
): Promise<Connection> {
  const endMs = performance.now() + waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      if (error instanceof AisecError || !isNotUpYet(error) || performance.now() >= endMs) throw error;
      if (attempt === 1) onWait();
      await sleep(Math.min(PAUSE_MS, Math.max(endMs - performance.now(), 1)), signal);
    }
  }
}
