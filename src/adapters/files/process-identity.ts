import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names one process for ever: process ids are reused, and two containers can both have a process 1. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, from /proc; empty where there is no /proc. */
  readonly startTime: string;
  readonly host: string;
  readonly boot: string;
  /** The pid namespace: only within it can a process id be judged. */
  readonly namespace: string;
}

function readOr(read: () => string, fallback: string): string {
  try {
    return read();
  } catch {
    return fallback;
  }
}

/** State letter and start time from /proc; both empty where there is none. */
function statOf(pid: number): { readonly state: string; readonly startTime: string } {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  // The second field (the name) may contain spaces and brackets, so count from its closing bracket: field 3 is the state, 22 the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

export function currentProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: statOf(process.pid).startTime,
    host: hostname(),
    boot: readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), ''),
    namespace: readOr(() => readlinkSync('/proc/self/ns/pid'), ''),
  };
}

/** Whether that very process still runs; undefined when it is of another host or container and cannot be judged. */
export function isRunning(identity: ProcessIdentity): boolean | undefined {
  const here = currentProcess();
  // The name of a host may change while it runs; that it was restarted since is only known by its name.
  const isSameBoot = identity.boot !== '' && identity.boot === here.boot;
  if (!isSameBoot && identity.host !== here.host) return undefined;
  if (!isSameBoot && identity.boot !== here.boot) return false;
  if (identity.namespace !== here.namespace) return undefined;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const { state, startTime } = statOf(identity.pid);
  return state !== 'Z' && startTime === identity.startTime;
}
