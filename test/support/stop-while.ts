import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RunningCli } from './run-cli.js';

function isStopped(pid: number): boolean {
  return / \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^\d+/, ''));
}

/**
 * Stops a run by SIGSTOP in a moment in which it is so, and stays so: the run may have come further between a look and the signal.
 * False when it has ended without one.
 */
export async function stopWhile({ child, isRunning }: RunningCli, isSo: () => boolean): Promise<boolean> {
  for (; isRunning(); await sleep(5)) {
    if (!isSo()) continue;
    child.kill('SIGSTOP');
    while (isRunning() && !isStopped(child.pid ?? 0)) await sleep(1);
    if (isRunning() && isSo()) return true;
    child.kill('SIGCONT');
  }
  return false;
}
