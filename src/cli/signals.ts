import type { ExitCode } from './exit-codes.js';

const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const satisfies Record<string, ExitCode>;
type StopSignal = keyof typeof EXIT_BY_SIGNAL;

export interface SignalListener {
  /** Aborted by the first signal; the reason is the signal's name. */
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

/** The first Ctrl-C or SIGTERM asks the command to stop cleanly, the second one ends the process at once. */
export function listenForSignals(note: (line: string) => void): SignalListener {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const signal = name as StopSignal;
    // oxlint-disable-next-line unicorn/no-process-exit -- a second Ctrl-C means now, whatever still runs
    if (controller.signal.aborted) process.exit(EXIT_BY_SIGNAL[signal]);
    note('stopping: cancelling the running statement and rolling back (once more to stop at once)');
    controller.abort(signal);
  };
  const names = Object.keys(EXIT_BY_SIGNAL) as readonly StopSignal[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    stop: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
