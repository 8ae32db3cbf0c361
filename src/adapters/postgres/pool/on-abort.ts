const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `run` when the signal is aborted, at once when it is already, until what it returns is called. However many wait, the signal has one listener:
 * with more than ten Node would warn of a leak, and one signal (a shutdown's, say) may serve many calls at once.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) {
    run();
    return () => undefined;
  }
  const known = waiting.get(signal);
  const others = known ?? new Set<() => void>();
  if (known === undefined) waiting.set(signal, others);
  if (others.size === 0) signal.addEventListener('abort', callAll, { once: true });
  others.add(run);
  return () => {
    others.delete(run);
    if (others.size === 0) signal.removeEventListener('abort', callAll);
  };
}

function callAll(this: AbortSignal): void {
  for (const run of waiting.get(this) ?? []) run();
}
