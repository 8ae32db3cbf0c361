import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

import { AisecError, isAisecError, messageOf } from '../../../base/errors.js';
import { makeDirectory } from '../../../adapters/files/make-directory.js';
import { readUnlinked } from '../../../adapters/files/read.js';
import { directoryError } from '../catalog/backup-lock.js';
import type { TimedPhase } from '../restore/phases.js';
import type { Verdict } from '../verify.js';
import type { SqlCheckResult } from './sql-checks.js';

/** One drill, as it is recorded: a line of JSON. Durations in milliseconds, sizes in bytes, times in RFC 3339 (UTC). */
export interface Drill {
  readonly startedAt: string;
  readonly durationMs: number;
  /** The backup is good and every check passed. */
  readonly isPassed: boolean;
  readonly file: string;
  readonly database: string;
  /** Of the server or embedded database that the backup is of; null where its manifest does not say it. */
  readonly originId: string | null;
  readonly verdict: Verdict;
  readonly reason: string | null;
  /** From the start until the restored database was compared; null when it did not come to that. */
  readonly recoveryTimeMs: number | null;
  readonly phases: readonly TimedPhase[];
  /** When the snapshot of the backup was taken: what was committed later is not in it. */
  readonly recoveryPointAt: string;
  /** How old that was when the drill began. */
  readonly recoveryPointAgeMs: number;
  readonly checks: readonly SqlCheckResult[];
  /** Compared with the manifest. */
  readonly rows: number;
  readonly tables: number;
  readonly sizeBytes: number;
  readonly databaseSizeBytes: number;
  /** Where it was restored; `embedded` in memory. */
  readonly host: string;
  readonly role: string;
  readonly aisecVersion: string;
}

function unusable(file: string, what: string, cause: unknown): unknown {
  const ofDisk = directoryError(path.dirname(file), cause);
  if (isAisecError(ofDisk, 'DISK_FULL', 'DISK_FAILED')) return ofDisk;
  return new AisecError('BACKUP_DIRECTORY', `could not ${what} the records of drills in "${file}"`, {
    detail: `${messageOf(cause)}.`,
    hint: 'Give another file with --drills FILE.',
    cause,
  });
}

async function openRecords(file: string): Promise<FileHandle> {
  makeDirectory(path.dirname(file));
  // Never through a symbolic link: what it led to could be anybody's.
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  return open(file, flags, 0o600);
}

/** Finds out that a record can be written before anything is restored. @throws AisecError BACKUP_DIRECTORY. */
export async function requireRecordable(file: string): Promise<void> {
  try {
    await (await openRecords(file)).close();
  } catch (error) {
    throw unusable(file, 'write', error);
  }
}

/** Whether a run was killed while it wrote its line. */
async function endsAmidLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

/** Appends one line, down to the disk; only the owner can read the file. @throws AisecError BACKUP_DIRECTORY. */
export async function appendDrill(file: string, drill: Drill): Promise<void> {
  try {
    const handle = await openRecords(file);
    try {
      const begin = (await endsAmidLine(handle)) ? '\n' : '';
      await handle.write(`${begin}${JSON.stringify(drill)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unusable(file, 'write', error);
  }
}

/** What a line must have to count; a line that is not whole does not. */
function asDrill(line: string): Drill | undefined {
  try {
    const value = JSON.parse(line) as Partial<Record<keyof Drill, unknown>> | null;
    const isDrill =
      typeof value?.startedAt === 'string' &&
      Number.isFinite(Date.parse(value.startedAt)) &&
      typeof value.isPassed === 'boolean' &&
      typeof value.file === 'string' &&
      typeof value.database === 'string' &&
      typeof value.recoveryPointAgeMs === 'number' &&
      Array.isArray(value.checks) &&
      Array.isArray(value.phases);
    return isDrill ? (value as unknown as Drill) : undefined;
  } catch {
    return undefined;
  }
}

/** In the order in which they ended; none where there is no file. @throws AisecError BACKUP_DIRECTORY. */
export async function readDrills(file: string): Promise<readonly Drill[]> {
  let text: string;
  try {
    text = await readUnlinked(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unusable(file, 'read', error);
  }
  return text.split('\n').flatMap((line) => asDrill(line) ?? []);
}
