import { leavesOut } from '../catalog/left-out.js';
import type { BackupManifest } from '../catalog/manifest.js';
import type { Checksum } from '../../../adapters/files/checksum.js';
import { flush } from '../../../adapters/files/publish.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { allSettled } from '../run/all-settled.js';
import type { BackupOrigin } from '../catalog/origin.js';
import type { AisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import type { WrittenBackup } from '../run/finish.js';
import { writeGlobals, type WrittenGlobals } from './globals.js';
import { leftOutOf } from './left-out.js';
import { newManifest } from '../run/new-manifest.js';
import { RowCounter } from './row-counter.js';
import { verifyArchive } from './verify-archive.js';
import { publishBackup } from '../run/publish-backup.js';
import { writeDump, type DumpWish } from './write-dump.js';

export interface WriteOptions extends DumpWish {
  readonly origin: BackupOrigin | null;
  /** Of roles, as hashes. */
  readonly withPasswords: boolean;
}

/**
 * Writes one backup: a partial file, its proof, the roles, the manifest, and its name at the very end. Killed at any
 * moment there is either a whole backup with its manifest or a partial file that the next run removes.
 *
 * @throws AisecError BACKUP_INVALID, DISK_FULL, LOCK_TIMEOUT, STANDBY_CONFLICT, PRIVILEGE_MISSING, CONNECTION_LOST, PG_TOOL_FAILED;
 *   nothing of it is left then.
 */
export async function writeBackup(
  access: ServerAccess,
  session: Session,
  options: WriteOptions,
  reporting: Reporting,
): Promise<WrittenBackup & { readonly jobs: number }> {
  const startedMs = performance.now();
  const { signal } = access;
  const { tools, recipients, withPasswords, mode, leftOut } = options;
  const { file, dumped, createdAt, facts, contents, compression, jobs } = await writeDump(
    access,
    session,
    options,
    reporting,
  );
  const { onProgress } = reporting;
  let rolesFailure: AisecError | undefined;
  const written = await publishBackup({ file, dumped }, { recipients, mode, signal, onProgress }, async () => {
    const { environment } = access.places;
    // Citus has no snapshot that two sessions share: what was counted beside pg_dump may be of another moment.
    const counter = session.info.runsCitus === true ? new RowCounter() : undefined;
    // It is read from memory while it goes to the disk; the name waits for both.
    const [, proof, globals] = await allSettled<[void, Awaited<ReturnType<typeof verifyArchive>>, WrittenGlobals]>([
      flush(dumped, 'r+'),
      verifyArchive(facts.tables, leavesOut(leftOut), {
        tool: tools.pgRestore,
        file: dumped,
        environment,
        signal,
        onProgress,
        pagesOf: facts.pagesOf,
        jobs,
        counter,
      }),
      writeGlobals(access, session, {
        tool: tools.pgDumpAll,
        file,
        mode,
        recipients,
        withPasswords,
        signal,
        reporting,
      }),
    ]);
    rolesFailure = globals.failure;
    const rows = contents.rows.map((each) => ({ ...each, rows: counter?.rowsOf(each) ?? each.rows }));
    const notInIt = await leftOutOf(session, leftOut, { lacking: proof.lacking, rows }, reporting);
    const describe = (written: Checksum): BackupManifest =>
      newManifest({
        file,
        database: access.databaseName,
        schema: options.schema,
        origin: options.origin,
        createdAt,
        durationMs: Math.round(performance.now() - startedMs),
        format: 'custom',
        compression,
        toolVersion: tools.pgDump.version,
        facts,
        contents: { ...contents, rows },
        globals: globals.file,
        recipients,
        leftOut: notInIt,
        verifications: [{ level: 'read', at: new Date().toISOString() }],
        checksum: written,
      });
    return { checksum: proof.checksum, describe };
  });
  return { ...written, rolesFailure, jobs };
}
