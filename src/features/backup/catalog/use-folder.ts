import { accessSync, constants, existsSync, statSync } from 'node:fs';
import path from 'node:path';

import { AisecError, messageOf } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';
import { tryFolderLock, type LockHolder } from '../../../adapters/files/folder-lock.js';
import { makeFolder } from '../../../adapters/files/make-folder.js';
import { isNoSpace } from '../../../adapters/files/space.js';
import { encodeDatabaseName } from './names.js';

const POLL_MS = 100;
/** A manifest is changed within milliseconds. */
const MANIFEST_WAIT_MS = 10_000;

function unusable(folder: string, error: unknown): AisecError {
  return new AisecError('BACKUP_FOLDER', `the folder "${folder}" cannot be written to`, {
    detail: `${messageOf(error)}.`,
    hint: 'Give another folder with --dir or AISEC_BACKUP_DIR, or make this one writable.',
    cause: error,
  });
}

function full(folder: string, error: unknown, hint: string): AisecError {
  return new AisecError('DISK_FULL', `no space is left in "${folder}"`, {
    detail: `${messageOf(error)}.`,
    hint,
    cause: error,
  });
}

/** The folder itself, or the nearest one above it that is there. */
export function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}

/** Makes nothing: tells whether backups could be written there. @throws AisecError BACKUP_FOLDER. */
export function checkFolder(folder: string): void {
  const nearest = nearestFolder(folder);
  if (!statSync(nearest).isDirectory())
    throw new AisecError('BACKUP_FOLDER', `"${nearest}" is no folder`, {
      hint: 'Give a folder with --dir or AISEC_BACKUP_DIR.',
    });
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(folder, error);
  }
}

function describe({ command, pid, host, since }: LockHolder): string {
  return `${command} (pid ${pid} on ${host}, since ${since})`;
}

async function withLock<Result>(
  folder: string,
  name: string,
  options: { readonly command: string; readonly waitMs: number; readonly signal: AbortSignal },
  run: () => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    let attempt;
    try {
      makeFolder(folder);
      attempt = await tryFolderLock(path.join(folder, name), options.command);
    } catch (error) {
      if (!isNoSpace(error)) throw unusable(folder, error);
      throw full(
        folder,
        error,
        'Free a little there first: removing old backups (aisec backup prune) takes a lock, too.',
      );
    }
    if (attempt.isHeld) {
      try {
        return await run();
      } finally {
        attempt.release();
      }
    }
    if (performance.now() >= deadline)
      throw new AisecError('RUN_LOCKED', `another run is at work in the folder "${folder}"`, {
        detail: `The lock is held by ${describe(attempt.holder)}.`,
        hint: attempt.canBeJudged
          ? 'Try again when it is done.'
          : `Try again when it is done. Should that machine or container be gone, remove ${attempt.file}.`,
      });
    await sleep(POLL_MS, options.signal);
  }
}

/**
 * Runs the callback while no other run makes or removes backups of this database in the folder, which is made when it
 * is missing. The lock of the server does not do: two servers may have a database of this name.
 *
 * @throws AisecError RUN_LOCKED naming the holder, BACKUP_FOLDER.
 */
export async function withBackupFolder<Result>(
  folder: string,
  database: string,
  options: { readonly command: string; readonly signal: AbortSignal },
  run: () => Promise<Result>,
): Promise<Result> {
  return withLock(folder, `.aisec-${encodeDatabaseName(database)}.lock`, { ...options, waitMs: 0 }, run);
}

/** Runs the callback while nobody else changes or removes a manifest in the folder. @throws as `withBackupFolder`. */
export async function withManifests<Result>(
  folder: string,
  options: { readonly command: string; readonly signal: AbortSignal },
  run: () => Promise<Result>,
): Promise<Result> {
  return withLock(folder, '.aisec-manifests.lock', { ...options, waitMs: MANIFEST_WAIT_MS }, run);
}

/** What the file system says while a backup is written or removed, in the toolkit's own words; anything else as it is. */
export function folderError(folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (isNoSpace(error))
    return full(folder, error, 'Free some space and run the command again; nothing half-written is left.');
  return ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EIO'].includes(code ?? '') ? unusable(folder, error) : error;
}
