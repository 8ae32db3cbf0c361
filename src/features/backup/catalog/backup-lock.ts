import { accessSync, constants, existsSync, statSync } from 'node:fs';
import path from 'node:path';

import { AisecError, messageOf } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';
import { tryDirectoryLock, type LockHolder } from '../../../adapters/files/directory-lock.js';
import { makeDirectory } from '../../../adapters/files/make-directory.js';
import { isNoSpace } from '../../../adapters/files/space.js';
import type { BackupFileMode } from './file-mode.js';
import { encodeDatabaseName } from './names.js';

const POLL_MS = 100;
/** A manifest is changed within milliseconds. */
const MANIFEST_WAIT_MS = 10_000;

function unusable(directory: string, error: unknown): AisecError {
  return new AisecError('BACKUP_DIRECTORY', `the directory "${directory}" cannot be written to`, {
    detail: `${messageOf(error)}.`,
    hint: 'Give another directory with --dir or AISEC_BACKUP_DIR, or make this one writable.',
    cause: error,
  });
}

function full(directory: string, error: unknown, hint: string): AisecError {
  return new AisecError('DISK_FULL', `no space is left in "${directory}"`, {
    detail: `${messageOf(error)}.`,
    hint,
    cause: error,
  });
}

/** The directory itself, or the nearest one above it that is there. */
export function nearestDirectory(directory: string): string {
  return existsSync(directory) ? directory : nearestDirectory(path.dirname(directory));
}

/** Makes nothing: checks whether backups could be written there. @throws AisecError BACKUP_DIRECTORY. */
export function checkDirectory(directory: string): void {
  const nearest = nearestDirectory(directory);
  if (!statSync(nearest).isDirectory())
    throw new AisecError('BACKUP_DIRECTORY', `"${nearest}" is not a directory`, {
      hint: 'Give a directory with --dir or AISEC_BACKUP_DIR.',
    });
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(directory, error);
  }
}

function describe({ command, pid, host, since }: LockHolder): string {
  return `${command} (pid ${pid} on ${host}, since ${since})`;
}

async function withLock<Result>(
  directory: string,
  name: string,
  options: {
    readonly command: string;
    readonly waitMs: number;
    readonly signal: AbortSignal;
    readonly mode?: BackupFileMode;
  },
  run: () => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    let attempt;
    try {
      makeDirectory(directory, options.mode === 0o640 ? 0o750 : 0o700);
      attempt = await tryDirectoryLock(path.join(directory, name), options.command);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EIO') throw directoryError(directory, error);
      if (!isNoSpace(error)) throw unusable(directory, error);
      throw full(
        directory,
        error,
        'Free a little there first: removing old backups (aisec backup prune) takes a lock, too.',
      );
    }
    if (attempt.isHeld) {
      try {
        return await run();
      } catch (error) {
        throw directoryError(directory, error);
      } finally {
        attempt.release();
      }
    }
    if (performance.now() >= deadline)
      throw new AisecError('RUN_LOCKED', `directory "${directory}" is in use by another run`, {
        detail: `The lock is held by ${describe(attempt.holder)}.`,
        hint: attempt.canBeJudged
          ? 'Try again when it is done.'
          : `Try again when it is done. Should that machine or container be gone, remove ${attempt.file}.`,
      });
    await sleep(POLL_MS, options.signal);
  }
}

/**
 * Runs the callback while no other run makes or removes backups of this database in the directory, which is made when it
 * is missing. The lock of the server does not do: two servers may have a database of this name.
 *
 * @throws AisecError RUN_LOCKED naming the holder, BACKUP_DIRECTORY.
 */
export async function withBackupDirectory<Result>(
  directory: string,
  database: string,
  options: {
    readonly command: string;
    readonly signal: AbortSignal;
    readonly waitMs?: number;
    /** Of the backups, for a directory that is made. */
    readonly mode?: BackupFileMode;
  },
  run: () => Promise<Result>,
): Promise<Result> {
  return withLock(directory, `.aisec-${encodeDatabaseName(database)}.lock`, { waitMs: 0, ...options }, run);
}

/** Runs the callback while no other process changes or removes a manifest in the directory. @throws as `withBackupDirectory`. */
export async function withManifests<Result>(
  directory: string,
  options: { readonly command: string; readonly signal: AbortSignal },
  run: () => Promise<Result>,
): Promise<Result> {
  return withLock(directory, '.aisec-manifests.lock', { ...options, waitMs: MANIFEST_WAIT_MS }, run);
}

/** What the file system says while a backup is written or removed, in the toolkit's own words; anything else as it is. */
export function directoryError(directory: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (isNoSpace(error))
    return full(directory, error, 'Free some space and run the command again; nothing half-written is left.');
  if (code === 'EIO')
    return new AisecError('DISK_FAILED', `the disk of "${directory}" failed`, {
      detail: `${messageOf(error)}.`,
      hint: 'See what the kernel says of it (dmesg), and which backups can still be read: aisec backup verify',
      cause: error,
    });
  return ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code ?? '') ? unusable(directory, error) : error;
}
