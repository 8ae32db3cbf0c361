import { AisecError, isAisecError } from '../../../base/errors.js';
import type { ServerTarget } from '../../../config/database-target.js';
import { RESTORING_SETTINGS } from '../../../adapters/postgres/pinned-settings.js';
import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { byNearness, findTools, requireSome, type ToolPlaces } from '../../../adapters/pgtools/find-tools.js';
import { runTool } from '../../../adapters/pgtools/run-tool.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import type { PgRestoreRun } from '../access.js';

export interface PgRestoreSurroundings {
  readonly target: ServerTarget;
  /** As shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly places: ToolPlaces;
  readonly signal: AbortSignal;
  readonly waitForServerMs: number;
}

/** Only an archive that is too new for the program says no here: what else is wrong with it, the real run reports. */
async function canRead(tool: PgTool, archive: string, { places, signal }: PgRestoreSurroundings): Promise<boolean> {
  try {
    await runTool({ tool, args: ['--list', archive], environment: places.environment, signal });
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return !isAisecError(error, 'PG_TOOL_MISSING');
  }
}

function tooOld(archive: string, tools: readonly PgTool[]): AisecError {
  const found = tools.map(({ path, version }) => `${path} is ${version}`).join(', ');
  return new AisecError('PG_TOOL_MISSING', `every pg_restore that was found is too old for ${archive}`, {
    detail: `The archive was written by a newer pg_dump; ${found}.`,
    hint: 'Install the client programs of the PostgreSQL version that wrote it, or set AISEC_PG_BIN to their directory.',
  });
}

/**
 * The first that can read the archive: for a server the nearest to its version, else the first that a shell would find.
 *
 * @throws AisecError PG_TOOL_MISSING.
 */
async function choose(
  tools: readonly PgTool[],
  { archive, into }: PgRestoreRun,
  surroundings: PgRestoreSurroundings,
): Promise<PgTool> {
  const ordered = into === undefined ? tools : byNearness(tools, into.serverMajor);
  for (const tool of ordered) if (await canRead(tool, archive, surroundings)) return tool;
  throw tooOld(archive, tools);
}

/**
 * Makes a function that runs pg_restore and returns what it wrote. The programs are looked for once, and for each archive
 * and server one is chosen; the password goes through files that only this user can read, and that the next run removes
 * should this one be killed.
 */
export function pgRestoreRunner(surroundings: PgRestoreSurroundings): (run: PgRestoreRun) => Promise<string> {
  const { target, applicationName, places, signal, waitForServerMs } = surroundings;
  const { environment } = places;
  let found: Promise<readonly PgTool[]> | undefined;
  const chosen = new Map<string, Promise<PgTool>>();
  const toolFor = async (run: PgRestoreRun): Promise<PgTool> => {
    const tools = requireSome('pg_restore', await (found ??= findTools('pg_restore', places)), places);
    const key = `${run.into?.serverMajor ?? ''} ${run.archive}`;
    const choice = chosen.get(key) ?? choose(tools, run, surroundings);
    chosen.set(key, choice);
    return choice;
  };
  return async (wanted) => {
    const { archive, args, into, settings, onLine, onStdout } = wanted;
    const tool = await toolFor(wanted);
    const surrounded = { tool, environment, signal, ...(onLine && { onLine }), ...(onStdout && { onStdout }) };
    if (into === undefined) return (await runTool({ ...surrounded, readsOnly: true, args: [...args, archive] })).stdout;
    const inDatabase = { ...target, connection: { ...target.connection, database: into.database } };
    const toleratesOlderServer = tool.major > into.serverMajor;
    const stops = toleratesOlderServer ? [] : ['--exit-on-error'];
    const pinned = { ...RESTORING_SETTINGS, ...settings };
    return withCredentials(inDatabase, { applicationName, settings: pinned }, async (credentials) => {
      const all = [`--dbname=${credentials.dbname}`, '--no-password', ...stops, ...args, archive];
      const run = { ...surrounded, args: all, more: credentials.variables, toleratesOlderServer, waitForServerMs };
      return (await runTool(run)).stdout;
    });
  };
}
