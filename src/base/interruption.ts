import { AisecError } from './errors.js';

/** The error for a run that a signal stopped; the abort reason is the signal's name. */
export function interruptionError(signal: AbortSignal): AisecError {
  return signal.reason === 'SIGTERM'
    ? new AisecError('TERMINATED', 'terminated')
    : new AisecError('INTERRUPTED', 'interrupted');
}

/** @throws AisecError INTERRUPTED or TERMINATED once the signal is aborted. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw interruptionError(signal);
}

/** Waits; ends early, throwing, when the signal is aborted. */
export function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(interruptionError(signal));
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(interruptionError(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, durationMs);
    signal.addEventListener('abort', stop, { once: true });
  });
}
