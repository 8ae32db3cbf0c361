import type { ServerTarget } from '../../../config/database-target.js';
import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { findFirstTool, type ToolPlaces } from '../../../adapters/pgtools/find-tools.js';
import { runTool } from '../../../adapters/pgtools/run-tool.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import type { PgRestoreRun } from '../access.js';

export interface PgRestoreSurroundings {
  readonly target: ServerTarget;
  /** As shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly places: ToolPlaces;
  readonly signal: AbortSignal;
}

/**
 * Makes a function that runs pg_restore and returns what it wrote. The program is looked for once; the password goes
 * through files that only this user can read, and that the next run removes should this one be killed.
 */
export function pgRestoreRunner(surroundings: PgRestoreSurroundings): (run: PgRestoreRun) => Promise<string> {
  const { target, applicationName, places, signal } = surroundings;
  const { environment } = places;
  let found: Promise<PgTool> | undefined;
  return async ({ args, database, settings, onLine }) => {
    const tool = await (found ??= findFirstTool('pg_restore', places));
    const surrounded = { tool, environment, signal, ...(onLine && { onLine }) };
    if (database === undefined) return (await runTool({ ...surrounded, args })).stdout;
    const inDatabase = { ...target, connection: { ...target.connection, database } };
    return withCredentials(inDatabase, { applicationName, ...(settings && { settings }) }, async (credentials) => {
      const all = [`--dbname=${credentials.dbname}`, '--no-password', ...args];
      return (await runTool({ ...surrounded, args: all, more: credentials.variables })).stdout;
    });
  };
}
