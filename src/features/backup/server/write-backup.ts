import { open, rm } from 'node:fs/promises';

import { freeBackupFile } from '../catalog/change-backups.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import { leavesOut, type LeftOutWish } from '../catalog/left-out.js';
import type { BackupManifest } from '../catalog/manifest.js';
import { partialName, plainName } from '../catalog/names.js';
import type { Checksum } from '../../../adapters/files/checksum.js';
import { widen } from '../../../adapters/files/new-file.js';
import { flush } from '../../../adapters/files/publish.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { allSettled } from '../run/all-settled.js';
import type { BackupOrigin } from '../catalog/origin.js';
import type { AisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';
import type { Reporting } from '../../../base/reporting.js';
import { dumpSnapshot, DeadlockDetected } from './dump.js';
import type { WrittenBackup } from '../run/finish.js';
import { writeGlobals, type WrittenGlobals } from './globals.js';
import { leftOutOf } from './left-out.js';
import { newManifest } from '../run/new-manifest.js';
import { RowCounter } from './row-counter.js';
import { verifyArchive } from './verify-archive.js';
import { publishBackup, type UnnamedDump } from '../run/publish-backup.js';
import type { ServerFacts } from '../run/server-facts.js';
import { lockFailure, withSnapshot, type SnapshotContents } from '../run/snapshot.js';
import { asStandbyConflict } from '../run/standby-conflict.js';
import { chooseCompression, type BackupTools } from './tools.js';

export interface WriteOptions {
  /** Absolute; exists, and its lock is held. */
  readonly directory: string;
  /** The schema of the platform. */
  readonly schema: string;
  readonly origin: BackupOrigin | null;
  readonly tools: BackupTools;
  /** 0: wait for ever. */
  readonly lockTimeoutMs: number;
  readonly maxLagMs: number | undefined;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  /** Of roles, as hashes. */
  readonly withPasswords: boolean;
  readonly mode: BackupFileMode;
  readonly leftOut: LeftOutWish;
}

interface PartialDump extends UnnamedDump {
  readonly createdAt: Date;
  readonly facts: ServerFacts;
  readonly contents: SnapshotContents;
  readonly compression: string;
}

const MOST_STANDSTILLS = 5;
const PAUSE_MS = 500;

async function makeEmpty(file: string, mode: BackupFileMode): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await widen(handle, mode);
  } finally {
    await handle.close();
  }
}

async function dumpOnce(
  access: ServerAccess,
  session: Session,
  { directory, schema, tools, lockTimeoutMs, recipients, mode, leftOut, maxLagMs }: WriteOptions,
  { onProgress }: Reporting,
): Promise<PartialDump> {
  return withSnapshot(session, { schema, lockTimeoutMs, maxLagMs, onProgress }, async (snapshot) => {
    const { createdAt, facts } = snapshot;
    const compression = chooseCompression(tools, facts.hasVectors);
    const isEncrypted = recipients.length > 0;
    const name = { database: access.databaseName, createdAt, format: 'custom', isEncrypted } as const;
    const file = await freeBackupFile(directory, name);
    const dumped = partialName(plainName(file));
    // Before pg_dump, which would make it readable by others.
    await makeEmpty(dumped, isEncrypted ? 0o600 : mode);
    try {
      const options = {
        tool: tools.pgDump,
        file: dumped,
        compression,
        lockTimeoutMs,
        leftOut,
        signal: access.signal,
        onProgress,
      };
      return {
        file,
        dumped,
        createdAt,
        facts,
        compression,
        contents: await dumpSnapshot(access, session, snapshot, options),
      };
    } catch (error) {
      await rm(dumped, { force: true });
      throw error;
    }
  });
}

async function dump(
  access: ServerAccess,
  session: Session,
  options: WriteOptions,
  reporting: Reporting,
): Promise<PartialDump> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dumpOnce(access, session, options, reporting);
    } catch (error) {
      if (!(error instanceof DeadlockDetected)) throw asStandbyConflict(error);
      if (attempt === MOST_STANDSTILLS) throw lockFailure(options.lockTimeoutMs, [error.detail ?? ''], error);
      // Our locks are given back, so that the sessions that waited for them get through.
      await sleep(PAUSE_MS * attempt, access.signal);
    }
  }
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
): Promise<WrittenBackup> {
  const startedMs = performance.now();
  const { signal } = access;
  const { tools, recipients, withPasswords, mode, leftOut } = options;
  const { file, dumped, createdAt, facts, contents, compression } = await dump(access, session, options, reporting);
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
  return { ...written, rolesFailure };
}
