import { mkdir, open } from 'node:fs/promises';

import { UnknownArchive } from '../../../adapters/pgtools/archive/contents.js';
import { packDirectoryArchive } from '../../../adapters/pgtools/archive/pack.js';
import { widen } from '../../../adapters/files/new-file.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { formatBytes } from '../../../base/bytes.js';
import { sleep } from '../../../base/interruption.js';
import type { Reporting } from '../../../base/reporting.js';
import type { ServerAccess } from '../access.js';
import { freeBackupFile, removePartial } from '../catalog/change-backups.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import type { LeftOutWish } from '../catalog/left-out.js';
import { partialName, partsName, plainName } from '../catalog/names.js';
import type { UnnamedDump } from '../run/publish-backup.js';
import type { ServerFacts } from '../run/server-facts.js';
import { lockFailure, withSnapshot, type SnapshotContents } from '../run/snapshot.js';
import { asStandbyConflict } from '../run/standby-conflict.js';
import { dumpSnapshot, DeadlockDetected } from './dump.js';
import { unused } from './jobs.js';
import { chooseCompression, type BackupTools } from './tools.js';

export interface DumpWish {
  /** Absolute; exists, and its lock is held. */
  readonly directory: string;
  /** The schema of the platform. */
  readonly schema: string;
  readonly tools: BackupTools;
  /** Sessions that dump the rows. */
  readonly jobs: number;
  /** 0: wait for ever. */
  readonly lockTimeoutMs: number;
  readonly maxLagMs: number | undefined;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  readonly mode: BackupFileMode;
  readonly leftOut: LeftOutWish;
}

export interface PartialDump extends UnnamedDump {
  readonly createdAt: Date;
  readonly facts: ServerFacts;
  readonly contents: SnapshotContents;
  readonly compression: string;
  /** Sessions that dumped the rows. */
  readonly jobs: number;
}

const MOST_STANDSTILLS = 5;
/** Attempts by jobs, which end where one session would wait. */
const MOST_REFUSALS = 2;
const PAUSE_MS = 500;
const OWNER_ONLY = 0o700;

async function makeEmpty(file: string, mode: BackupFileMode): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await widen(handle, mode);
  } finally {
    await handle.close();
  }
}

/** What is to be removed when a dump fails. */
async function discarding<Result>(dumped: string, parts: string, make: () => Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    for (const each of [dumped, parts]) await removePartial(each);
    throw error;
  }
}

/** To the partial file, or, by several jobs, to a directory beside it. */
async function dumpOnce(
  access: ServerAccess,
  session: Session,
  { directory, schema, tools, jobs, lockTimeoutMs, recipients, mode, leftOut, maxLagMs }: DumpWish,
  { onProgress }: Reporting,
): Promise<PartialDump> {
  return withSnapshot(session, { schema, lockTimeoutMs, maxLagMs, onProgress }, async (snapshot) => {
    const { createdAt, facts } = snapshot;
    const compression = chooseCompression(tools, facts.hasVectors, jobs);
    const isEncrypted = recipients.length > 0;
    const name = { database: access.databaseName, createdAt, format: 'custom', isEncrypted } as const;
    const file = await freeBackupFile(directory, name);
    const [dumped, parts] = [partialName(plainName(file)), partsName(file)];
    return discarding(dumped, parts, async () => {
      // Before pg_dump, which would make it readable by others.
      await makeEmpty(dumped, isEncrypted ? 0o600 : mode);
      if (jobs > 1) await mkdir(parts, { mode: OWNER_ONLY });
      const options = {
        tool: tools.pgDump,
        file: jobs > 1 ? parts : dumped,
        jobs: jobs > 1 ? jobs : undefined,
        compression,
        lockTimeoutMs,
        leftOut,
        signal: access.signal,
        onProgress,
      };
      const contents = await dumpSnapshot(access, session, snapshot, options);
      return { file, dumped, createdAt, facts, compression, contents, jobs };
    });
  });
}

/** Makes one file of what several jobs have dumped; the locks of the server are given back by then. */
async function packed(dump: PartialDump, { signal }: ServerAccess, { onProgress }: Reporting): Promise<PartialDump> {
  const parts = partsName(dump.file);
  const onBytes = (bytes: number): void => onProgress(`packing, ${formatBytes(bytes)}`);
  if (dump.jobs > 1)
    await discarding(dump.dumped, parts, () => packDirectoryArchive(parts, dump.dumped, { signal, onBytes }));
  return dump;
}

/** Why the next attempt is to be that of one session; undefined: it is not. */
function reasonForOne({ jobs, tools }: DumpWish, error: unknown, attempt: number): string | undefined {
  if (jobs === 1) return undefined;
  const { name, version } = tools.pgDump;
  if (error instanceof UnknownArchive) return `${name} ${version}: ${error.detail ?? error.message}`;
  return error instanceof DeadlockDetected && attempt >= MOST_REFUSALS
    ? `Other sessions asked for locks that shut readers out in ${attempt} attempts. ${error.detail ?? ''}`
    : undefined;
}

/**
 * Dumps the database to a partial file, by one job or several, again with a new snapshot where it and another session wait for
 * each other.
 *
 * @throws AisecError as `dumpSnapshot`; nothing of it is left then.
 */
export async function writeDump(
  access: ServerAccess,
  session: Session,
  given: DumpWish,
  reporting: Reporting,
): Promise<PartialDump> {
  let options = given;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await packed(await dumpOnce(access, session, options, reporting), access, reporting);
    } catch (error) {
      const reason = reasonForOne(options, error, attempt);
      if (reason !== undefined) {
        reporting.onWarning(unused(options.jobs, reason));
        options = { ...options, jobs: 1 };
      }
      if (error instanceof UnknownArchive) continue;
      if (!(error instanceof DeadlockDetected)) throw asStandbyConflict(error);
      if (attempt === MOST_STANDSTILLS) throw lockFailure(options.lockTimeoutMs, [error.detail ?? ''], error);
      // Our locks are given back, so that the sessions that waited for them get through.
      await sleep(PAUSE_MS * attempt, access.signal);
    }
  }
}
