import { isAisecError, type AisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';

const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;

/** What a command may spend on waiting for locks in all: one for the whole run, not for each statement. */
export class LockBudget {
  #leftMs: number;

  constructor(maxWaitMs: number) {
    this.#leftMs = maxWaitMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#leftMs);
  }

  spend(ms: number): void {
    this.#leftMs -= ms;
  }
}

export interface Retries {
  /** No further attempt begins when it is spent; the first one always does. */
  readonly budget: LockBudget;
  readonly signal: AbortSignal;
  readonly onRetry?: (error: AisecError, attempt: number) => void;
  /** What is retried beside LOCK_TIMEOUT. */
  readonly isWorthRetrying?: (error: AisecError) => boolean;
}

/**
 * Runs `tryOnce` until it gets its locks. It must leave no transaction open when it throws. Between attempts it waits
 * with jitter and without any lock, so that the sessions queued behind an attempt continue.
 *
 * @throws AisecError LOCK_TIMEOUT, the last one, or whatever else `tryOnce` throws.
 */
export async function retryForLocks<Result>(
  { budget, signal, onRetry, isWorthRetrying = () => false }: Retries,
  tryOnce: (attempt: number) => Promise<Result>,
): Promise<Result> {
  const startedMs = performance.now();
  const { leftMs } = budget;
  for (let attempt = 1; ; attempt += 1) {
    const attemptMs = performance.now();
    try {
      const result = await tryOnce(attempt);
      budget.spend(attemptMs - startedMs);
      return result;
    } catch (error) {
      if (!isAisecError(error) || !(error.code === 'LOCK_TIMEOUT' || isWorthRetrying(error))) throw error;
      const pauseMs = Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random());
      const spentMs = performance.now() - startedMs;
      if (spentMs + pauseMs >= leftMs) {
        budget.spend(spentMs);
        throw error;
      }
      onRetry?.(error, attempt);
      await sleep(pauseMs, signal);
    }
  }
}
