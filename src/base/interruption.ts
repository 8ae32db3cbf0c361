import { formatDurationMs } from './duration.js';
import { AisecError } from './errors.js';

/** The error for a run that was stopped: the abort reason is the name of a signal, or an error of our own (a timeout). */
export function interruptionError(signal: AbortSignal): AisecError {
  if (signal.reason instanceof AisecError) return signal.reason;
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

const SLICES = 8;
/** Later than a timer is on a machine with other work. */
const LATE_MS = 20;

/**
 * Calls `onSilence` when the other side has said nothing for so long. Time in which this process was stopped or busy
 * is not held against the other side: its answer may have arrived and not been read. The time is cut in slices; as many as
 * there are may come late without being counted, so that a process that is always busy has its limit, too.
 *
 * @returns what ends the wait
 */
export function afterSilence(durationMs: number, onSilence: () => void): () => void {
  const sliceMs = durationMs / SLICES;
  let left = SLICES;
  let mayBeLate = SLICES;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const count = (sinceMs: number): void => {
    if (isOver) return;
    if (performance.now() - sinceMs > 2 * sliceMs + LATE_MS && mayBeLate > 0) mayBeLate -= 1;
    else left -= 1;
    if (left > 0) next();
    else onSilence();
  };
  const next = (): void => {
    const sinceMs = performance.now();
    // What has arrived is read after the timers and before setImmediate.
    timer = setTimeout(() => setImmediate(count, sinceMs), sliceMs);
  };
  next();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** What the work gives, or, once the other side has been silent for so long, what `onSilence` gives or throws. */
export async function unlessSilent<Result, Other>(
  durationMs: number,
  work: Promise<Result>,
  onSilence: () => Other,
): Promise<Result | Other> {
  let stop: (() => void) | undefined;
  const silence = new Promise<void>((resolve) => {
    stop = afterSilence(durationMs, resolve);
  }).then(onSilence);
  try {
    return await Promise.race([work, silence]);
  } finally {
    stop?.();
  }
}

/** Ends a run that takes too long; 0 means no limit. The timer keeps no process alive. */
export function withTimeout(signal: AbortSignal, timeoutMs: number): AbortSignal {
  if (timeoutMs === 0) return signal;
  const timeout = new AbortController();
  const error = new AisecError('RUN_TIMEOUT', `not done within ${formatDurationMs(timeoutMs)}`, {
    detail: 'It was stopped, and nothing half-done is left.',
    hint: 'Give it more time with --timeout.',
  });
  setTimeout(() => timeout.abort(error), timeoutMs).unref();
  return AbortSignal.any([signal, timeout.signal]);
}
