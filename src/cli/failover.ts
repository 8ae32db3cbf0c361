import { isAisecError, type AisecError } from '../base/errors.js';
import { sleep } from '../base/interruption.js';
import type { Config } from '../config/config.js';

const PAUSE_MS = 500;

export interface FailoverOptions {
  readonly config: Config;
  /** How long after a loss a server may take to be there again, in all. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
  readonly onLost: (error: AisecError) => void;
}

/** A standby that is not promoted yet refuses to write, and one that restarts refuses to connect. */
function mayPass(error: unknown, isAfterLoss: boolean): error is AisecError {
  if (isAisecError(error, 'CONNECTION_LOST')) return true;
  return isAfterLoss && isAisecError(error, 'DATABASE_UNREACHABLE', 'DATABASE_READ_ONLY');
}

async function namesSeveralServers(config: Config): Promise<boolean> {
  const { resolveDatabaseTarget } = await import('../config/database-target.js');
  const target = resolveDatabaseTarget(config);
  return target.kind === 'server' && target.servers !== undefined;
}

/**
 * Runs a command that may be run twice, from its beginning after the connection was lost: on whichever of the servers that
 * are named is there then. With one server named it is run once.
 *
 * @param run opens its sessions again, waiting up to so many milliseconds for a server
 */
export async function throughFailover<Result>(
  { config, maxWaitMs, signal, onLost }: FailoverOptions,
  run: (waitForServerMs: number) => Promise<Result>,
): Promise<Result> {
  let endMs: number | undefined;
  for (;;) {
    try {
      return await run(endMs === undefined ? 0 : Math.max(0, endMs - performance.now()));
    } catch (error) {
      if (signal.aborted || !mayPass(error, endMs !== undefined) || !(await namesSeveralServers(config))) throw error;
      if (endMs === undefined) onLost(error);
      endMs ??= performance.now() + maxWaitMs;
      if (performance.now() + PAUSE_MS >= endMs) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}
