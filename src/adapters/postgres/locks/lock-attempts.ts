import { isAisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';

/** First pause between attempts; it grows to five times of this, with jitter. */
const PAUSE_MS = 400;

/**
 * Runs `tryOnce` until it gets its locks, `attempts` times at most. It must leave no transaction open when it throws, so
 * that the sessions queued behind an attempt get through in the pause.
 *
 * @throws AisecError LOCK_TIMEOUT, the last one, or whatever else `tryOnce` throws.
 */
export async function withLockAttempts(
  attempts: number,
  signal: AbortSignal,
  tryOnce: () => Promise<void>,
  onRetry?: (attempt: number) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await tryOnce();
      return;
    } catch (error) {
      if (!isAisecError(error, 'LOCK_TIMEOUT') || attempt >= attempts) throw error;
      onRetry?.(attempt);
      await sleep(PAUSE_MS * Math.min(attempt, 5) * (0.5 + Math.random()), signal);
    }
  }
}
