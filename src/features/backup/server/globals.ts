import type { BackupFileMode } from '../catalog/file-mode.js';
import type { BackupSideFile } from '../catalog/manifest.js';
import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { dumpGlobals } from '../../../adapters/pgtools/pg-dump.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { isAisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import { writeRolesFile } from '../run/write-roles-file.js';
import { withoutShortLimits } from './short-limits.js';

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

/**
 * Writes the roles, memberships and tablespaces of the server beside a backup. Where that cannot be
 * done the backup is good all the same: a warning says what a restore on an empty server will miss.
 */
export async function writeGlobals(
  access: ServerAccess,
  session: Session,
  { tool, file, mode, recipients, withPasswords, signal, reporting }: GlobalsOptions,
): Promise<BackupSideFile | null> {
  if (tool === undefined) {
    reporting.onWarning('pg_dumpall was not found, so the roles of the server are not beside the backup');
    return null;
  }
  reporting.onProgress('writing the roles');
  let text: string;
  try {
    const settings = await withoutShortLimits(session);
    text = await withCredentials(access.target, { applicationName: access.applicationName, settings }, (credentials) =>
      dumpGlobals({
        tool,
        credentials,
        database: access.databaseName,
        environment: access.places.environment,
        waitForServerMs: access.waitForServerMs,
        withPasswords,
        signal,
      }),
    );
  } catch (error) {
    if (signal.aborted || !isAisecError(error)) throw error;
    reporting.onWarning(
      `the roles of the server could not be read, so they are not beside the backup: ${error.detail ?? error.message}`,
    );
    return null;
  }
  return writeRolesFile(file, text, { mode, recipients, signal });
}
