import { removePartials } from './catalog/change-backups.js';
import { checkDirectory, directoryError, withBackupDirectory } from './catalog/backup-lock.js';
import type { OpenedEmbedded } from '../../adapters/embedded/embedded.js';
import type { EmbeddedAccess } from './access.js';
import type { Reporting } from '../../base/reporting.js';
import { captureEmbedded, type Capture } from './embedded/capture-embedded.js';
import { embeddedOrigin, knownEmbeddedOrigin } from './run/read-origin.js';
import { preflightBackup } from './run/preflight.js';
import { recipientsOf } from './run/recipients.js';
import { conclude, type BackupOptions, type BackupResult } from './run/finish.js';
import { keepErasureList } from './erasures/keep-list.js';
import { checkOffsite } from './offsite.js';
import { readServerFacts } from './run/server-facts.js';
import { writeEmbeddedBackup, type EmbeddedFormat } from './embedded/write-embedded.js';

/**
 * Backs up the embedded database into a directory, verifies the backup by loading it, and removes what the retention rule
 * lets go. The database is open only while its state is read, not while that is packed and proven.
 *
 * @throws AisecError EMBEDDED_LOCKED, BACKUP_DIRECTORY, DISK_FULL, RUN_LOCKED, BACKUP_INVALID; as `takeBackup`, for keys
 *   and stores, too.
 */
export async function takeEmbeddedBackup(
  access: EmbeddedAccess,
  options: BackupOptions & { readonly format: EmbeddedFormat },
  reporting: Reporting,
): Promise<BackupResult> {
  const startedMs = performance.now();
  const { directory, schema, format, mode, isDryRun } = options;
  const { databaseName: database, applicationName: command, signal } = access;
  checkDirectory(directory);
  const recipients = await recipientsOf(options);
  // A store in trouble must not cost the backup here: it is asked when that is made.
  if (isDryRun && options.offsite !== undefined) await checkOffsite(access, options.offsite, reporting);
  const lock = { command, signal };
  const origin = isDryRun ? await knownEmbeddedOrigin(access.dataDir) : await embeddedOrigin(access.dataDir);
  const read = async (opened: OpenedEmbedded): Promise<{ expected: number; capture: Capture | undefined }> => {
    const facts = await readServerFacts(opened.session);
    const expected = await preflightBackup(access, format, { ...facts, origin }, options, reporting);
    const { onProgress } = reporting;
    if (!isDryRun) await keepErasureList(opened.session, schema, directory, reporting.onWarning);
    return { expected, capture: isDryRun ? undefined : await captureEmbedded(opened, facts, { schema, onProgress }) };
  };
  const write = async (capture: Capture) => {
    for (const name of await removePartials(directory, database, lock))
      reporting.onWarning(`removed ${name}, which a stopped run had left`);
    return writeEmbeddedBackup(access, capture, { directory, schema, origin, format, recipients, mode }, reporting);
  };
  try {
    const { expected, capture } = await access.withDatabase(read);
    const written =
      capture &&
      (await withBackupDirectory(directory, database, { ...lock, mode, waitMs: options.waitMs }, () => write(capture)));
    const isEncrypted = recipients.length > 0;
    const state = { startedMs, origin, written, format, isEncrypted, expectedBytes: expected, jobs: 1 };
    return await conclude(access, state, options, reporting);
  } catch (error) {
    throw directoryError(directory, error);
  }
}
