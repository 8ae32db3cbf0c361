import { removePartials } from './catalog/change-backups.js';
import { checkDirectory, directoryError, withBackupDirectory } from './catalog/backup-lock.js';
import { findTools } from '../../adapters/pgtools/find-tools.js';
import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { serverMajor } from '../../adapters/postgres/server-major.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { ServerAccess } from './access.js';
import { allSettled } from './run/all-settled.js';
import type { Reporting } from '../../base/reporting.js';
import { serverOrigin } from './run/read-origin.js';
import type { BackupOrigin } from './catalog/origin.js';
import { keepErasureList } from './erasures/keep-list.js';
import { preflightBackup } from './run/preflight.js';
import { dumpApplicationName } from './server/dump.js';
import { requireDumpAll, requireEncryption, requirePasswordsReadable } from './run/require-passwords.js';
import { recipientsOf } from './run/recipients.js';
import { conclude, type BackupOptions, type BackupResult, type WrittenBackup } from './run/finish.js';
import { checkOffsite } from './offsite.js';
import { readServerFacts, type ServerFacts } from './run/server-facts.js';
import { chooseJobs } from './server/jobs.js';
import { findBackupTools, type BackupTools } from './server/tools.js';
import { writeBackup } from './server/write-backup.js';

/** Whatever a killed run has left, on the server and in the directory. */
async function removeLeftovers(
  access: ServerAccess,
  session: Session,
  directory: string,
  { onWarning }: Reporting,
): Promise<void> {
  await session.query(sqlFile('backup/end-leftovers'), [dumpApplicationName(access)]);
  const options = { command: access.applicationName, signal: access.signal };
  for (const name of await removePartials(directory, access.databaseName, options))
    onWarning(`removed ${name}, which a stopped run had left`);
}

/**
 * Backs up the configured database into a directory, verifies the backup, and removes what the retention rule allows.
 *
 * Everything that can be known before is checked before any file is made: programs, directory, space, privileges, locks.
 * Runs under the lock of everything that changes the database, so that no migration waits behind the dump with
 * every session behind it.
 *
 * @throws AisecError PG_TOOL_MISSING, BACKUP_DIRECTORY, DISK_FULL, PRIVILEGE_MISSING, LOCK_TIMEOUT, RUN_LOCKED, RUN_TIMEOUT,
 *   BACKUP_INVALID, and as `runTool` and `Session.query`. The directory is as it was then. USAGE for a key that cannot be
 *   encrypted to; STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED of the copy: the backup itself
 *   is made then, and the message says so.
 */
export async function takeBackup(
  access: ServerAccess,
  options: BackupOptions,
  reporting: Reporting,
): Promise<BackupResult> {
  const startedMs = performance.now();
  const { directory, schema, lockTimeoutMs, waitMs, mode, leftOut, maxLagMs, isDryRun, withPasswords } = options;
  const { databaseName: database, applicationName: command, signal } = access;
  checkDirectory(directory);
  const recipients = await recipientsOf(options);
  if (withPasswords) requireEncryption(recipients);
  // A store in trouble must not cost the backup here: it is asked when that is made.
  if (isDryRun && options.offsite !== undefined) await checkOffsite(access, options.offsite, reporting);
  const lock = { command, signal };
  // Asked for their versions while the connection is made.
  const dumpTools = findTools('pg_dump', access.places);
  const run = async (
    session: Session,
  ): Promise<{
    readonly expectedBytes: number;
    readonly written: WrittenBackup | undefined;
    readonly jobs: number;
    readonly origin: BackupOrigin | null;
  }> => {
    if (withPasswords) await requirePasswordsReadable(session);
    const major = serverMajor(session);
    const origin = await serverOrigin(session, access);
    return withRunLock(session, { waitMs, onProgress: reporting.onProgress }, async () => {
      const [tools, facts] = await allSettled<[BackupTools, ServerFacts]>([
        findBackupTools(access, major, dumpTools),
        readServerFacts(session),
      ]);
      const { jobs, warning: whyOne } = chooseJobs(session, tools, options.jobs);
      const expectedBytes = await preflightBackup(
        access,
        'custom',
        { ...facts, origin },
        { ...options, jobs },
        reporting,
      );
      if (withPasswords) requireDumpAll(tools);
      for (const warning of [...tools.warnings, ...(whyOne === undefined ? [] : [whyOne])])
        reporting.onWarning(warning);
      if (isDryRun) return { expectedBytes, written: undefined, origin, jobs };
      const written = await withBackupDirectory(directory, database, { ...lock, mode, waitMs }, async () => {
        await removeLeftovers(access, session, directory, reporting);
        await keepErasureList(session, schema, directory, reporting.onWarning);
        return writeBackup(
          access,
          session,
          { directory, schema, origin, tools, jobs, lockTimeoutMs, recipients, withPasswords, mode, leftOut, maxLagMs },
          reporting,
        );
      });
      return { expectedBytes, written, origin, jobs: written.jobs };
    });
  };
  try {
    const done = await access.withDatabase(database, run);
    const state = { ...done, startedMs, format: 'custom', isEncrypted: recipients.length > 0 } as const;
    // Outside of the lock of the database: migrations need not wait for an upload.
    return await conclude(access, state, options, reporting);
  } catch (error) {
    throw directoryError(directory, error);
  }
}
