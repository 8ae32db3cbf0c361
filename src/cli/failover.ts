import { isAisecError, type AisecError } from '../base/errors.js';
import { sleep } from '../base/interruption.js';
import type { Config } from '../config/config.js';
import { createContext, type ContextParts } from './context.js';
import type { ExitCode } from './exit-codes.js';
import type { Invocation } from './program.js';

const PAUSE_MS = 500;

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
 * Runs a command. One that may be run twice begins again after the connection was lost, within its `--max-wait`: on whichever
 * of the servers that are named is there then. With one server named it is run once.
 */
export async function runCommand(
  { spec, options, argument, operands }: Invocation,
  parts: ContextParts,
  onLost: (error: AisecError) => void,
): Promise<ExitCode> {
  const { config, signal } = parts;
  const { maxWait: maxWaitMs = 0 } = options as { readonly maxWait?: number };
  let endMs: number | undefined;
  for (;;) {
    const leftMs = endMs === undefined ? 0 : Math.max(0, endMs - performance.now());
    const waitForDatabaseMs = Math.max(config.waitForDatabaseMs, leftMs);
    const context = createContext({ ...parts, config: { ...config, waitForDatabaseMs } });
    try {
      return (await spec.run(context, options, argument, operands)) ?? 0;
    } catch (error) {
      if (spec.outlivesFailover === undefined || signal.aborted) throw error;
      if (!mayPass(error, endMs !== undefined) || !(await namesSeveralServers(config))) throw error;
      if (endMs === undefined) onLost(error);
      endMs ??= performance.now() + maxWaitMs;
      if (performance.now() + PAUSE_MS >= endMs) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}
