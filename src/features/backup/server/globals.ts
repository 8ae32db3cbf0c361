import type { BackupFileMode } from '../catalog/file-mode.js';
import type { BackupSideFile } from '../catalog/manifest.js';
import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { dumpGlobals } from '../../../adapters/pgtools/pg-dump.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { isAisecError, type AisecError, type ErrorCode } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';
import type { Reporting } from '../../../base/reporting.js';
import { recognized } from '../run/server-texts.js';
import { writeRolesFile } from '../run/write-roles-file.js';
import { dumpSettings } from './dump-settings.js';

export interface GlobalsOptions {
  readonly tool: PgTool | undefined;
  /** The backup's final path; the globals get the name that belongs to it. */
  readonly file: string;
  readonly mode: BackupFileMode;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  /** With the hashes of passwords; only where it is encrypted. */
  readonly withPasswords: boolean;
  readonly signal: AbortSignal;
  readonly reporting: Reporting;
}

export interface WrittenGlobals {
  readonly file: BackupSideFile | null;
  /** Why there are none, where the next run may well have them, or they were asked for. */
  readonly failure?: AisecError;
}

/** What ends by itself; a server that lets the role read none says the same every night. */
const PASSING: readonly ErrorCode[] = ['CONNECTION_LOST', 'DATABASE_UNREACHABLE', 'LOCK_TIMEOUT', 'STANDBY_CONFLICT'];
const PAUSES_MS = [500, 2000];

async function readGlobals(
  access: ServerAccess,
  session: Session,
  tool: PgTool,
  { withPasswords, signal, reporting }: GlobalsOptions,
): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const settings = await dumpSettings(session);
      const { applicationName, databaseName: database, places, waitForServerMs } = access;
      return await withCredentials(access.target, { applicationName, settings }, (credentials) =>
        dumpGlobals({
          tool,
          credentials,
          database,
          environment: places.environment,
          waitForServerMs,
          withPasswords,
          signal,
        }),
      );
    } catch (thrown) {
      const error = await recognized(session, thrown);
      const pauseMs = PAUSES_MS[attempt];
      if (signal.aborted || pauseMs === undefined || !isAisecError(error, ...PASSING)) throw error;
      reporting.onProgress(`${error.message}; reading the roles again`);
      await sleep(pauseMs, signal);
    }
  }
}

/**
 * Writes the roles, memberships and tablespaces of the server beside a backup. Where that cannot be done the backup is good
 * all the same: a warning says what a restore on an empty server will miss, or the run fails when the backup has its name.
 */
export async function writeGlobals(
  access: ServerAccess,
  session: Session,
  options: GlobalsOptions,
): Promise<WrittenGlobals> {
  const { tool, file, mode, recipients, withPasswords, signal, reporting } = options;
  if (tool === undefined) {
    reporting.onWarning('pg_dumpall was not found, so the roles of the server are not beside the backup');
    return { file: null };
  }
  reporting.onProgress('writing the roles');
  let text: string;
  try {
    text = await readGlobals(access, session, tool, options);
  } catch (error) {
    if (signal.aborted || !isAisecError(error)) throw error;
    if (withPasswords || PASSING.includes(error.code)) return { file: null, failure: error };
    reporting.onWarning(
      `the roles of the server could not be read, so they are not beside the backup: ${error.detail ?? error.message}`,
    );
    return { file: null };
  }
  return { file: await writeRolesFile(file, text, { mode, recipients, signal }) };
}
