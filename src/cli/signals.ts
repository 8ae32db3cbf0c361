import type { ExitCode } from './exit-codes.js';

const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const satisfies Record<string, ExitCode>;
type StopSignal = keyof typeof EXIT_BY_SIGNAL;

/** A stop that is quicker than this needs no explanation. */
const EXPLAIN_AFTER_MS = 500;

export interface SignalListener {
  /** Aborted by the first signal; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** What Ctrl-C does, for where it does not come as a signal. */
  readonly interrupt: () => void;
  readonly stop: () => void;
}

/** The first Ctrl-C or SIGTERM asks the command to stop cleanly, the second one ends the process at once. */
export function listenForSignals(note: (line: string) => void): SignalListener {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const signal = name as StopSignal;
    // oxlint-disable-next-line unicorn/no-process-exit -- a second Ctrl-C means now, whatever still runs
    if (controller.signal.aborted) process.exit(EXIT_BY_SIGNAL[signal]);
    timer = setTimeout(
      () => note('stopping: rolling back and releasing locks (once more to stop at once)'),
      EXPLAIN_AFTER_MS,
    ).unref();
    controller.abort(signal);
  };
  const names = Object.keys(EXIT_BY_SIGNAL) as readonly StopSignal[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    interrupt: () => onSignal('SIGINT'),
    stop: () => {
      clearTimeout(timer);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
