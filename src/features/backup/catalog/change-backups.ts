import { existsSync } from 'node:fs';
import { lstat, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { AisecError } from '../../../base/errors.js';
import { flushDirectory } from '../../../adapters/files/publish.js';
import { readBackupDirectory } from './directory.js';
import { listCommand } from './list-command.js';
import { readManifest, writeManifest, type BackupManifest } from './manifest.js';
import {
  backupFileName,
  globalsNames,
  manifestName,
  namesOfMoment,
  newBackupId,
  parseBackupFileName,
  partialName,
  partsName,
  type BackupName,
} from './names.js';
import { withManifests } from './backup-lock.js';

export interface ChangeOptions {
  /** For the message of a run that finds the lock held: `aisec backup verify`. */
  readonly command: string;
  readonly signal: AbortSignal;
}

const MOST_NAMES_TRIED = 120;
const REMOVAL_RETRIES = 10;

/** All that may stand beside a backup, itself not. */
function besides(file: string): readonly string[] {
  return [manifestName(file), ...globalsNames(file)].flatMap((name) => [name, `${name}.partial`]);
}

/**
 * A name that nothing in the directory has yet, not even a symbolic link that leads nowhere, and, by chance, no run of the
 * same second anywhere: other servers may write to the same store. Free in every format, since what stands beside is
 * named alike.
 */
export async function freeBackupFile(directory: string, name: Omit<BackupName, 'id'>): Promise<string> {
  const isTaken = async (file: string): Promise<boolean> =>
    lstat(file).then(
      () => true,
      () => false,
    );
  for (let attempt = 0; attempt < MOST_NAMES_TRIED; attempt += 1) {
    const named = { ...name, id: newBackupId() };
    const file = path.join(directory, backupFileName(named));
    const all = namesOfMoment(named).map((each) => path.join(directory, each));
    const taken = await Promise.all(
      all.flatMap((each) => [each, partialName(each), partsName(each), ...besides(each)]).map(isTaken),
    );
    if (!taken.includes(true)) return file;
  }
  throw new AisecError('BACKUP_DIRECTORY', `every name for a backup of now is taken in "${directory}"`, {
    hint: `Is the clock right? See what is there: ${listCommand(directory)}`,
  });
}

/** Changes the manifest of a backup, one at a time. @throws AisecError BACKUP_INVALID when it is gone. */
export async function changeManifest(
  file: string,
  options: ChangeOptions,
  change: (manifest: BackupManifest) => BackupManifest,
): Promise<BackupManifest> {
  return withManifests(path.dirname(file), options, async () => {
    const changed = change(await readManifest(file));
    await writeManifest(file, changed);
    return changed;
  });
}

/**
 * Removes a backup with what belongs to it. Its name goes first: killed at any moment, what is left is a partial file
 * with its company, which the next run removes. False: it was pinned since it was looked at, and stays.
 */
export async function removeBackup(file: string, options: ChangeOptions): Promise<boolean> {
  return withManifests(path.dirname(file), options, async () => {
    if ((await readManifest(file)).isPinned) return false;
    await rename(file, partialName(file));
    for (const name of [...besides(file), partialName(file)]) await rm(name, { force: true });
    await flushDirectory(path.dirname(file));
    return true;
  });
}

/** Removes a partial file, or a directory of parts, in which a job of a killed run may still make a file. */
export async function removePartial(partial: string): Promise<void> {
  await rm(partial, { force: true, recursive: true, maxRetries: REMOVAL_RETRIES });
}

/**
 * Removes what stopped runs for a database have left: partial files and directories, and the manifest and globals of a backup
 * that did not get its name. Call it under the lock of the directory. Returns the names of what was partial.
 */
export async function removePartials(
  directory: string,
  database: string,
  options: ChangeOptions,
): Promise<readonly string[]> {
  const { partials } = await readBackupDirectory(directory);
  return withManifests(directory, options, async () => {
    const removed: string[] = [];
    for (const partial of partials) {
      const [, file = '', isOfBackup] = /^(.*?)(\.json|\.parts)?\.partial$/.exec(partial) ?? [];
      if (parseBackupFileName(path.basename(file))?.database !== database) continue;
      const company = isOfBackup !== undefined || existsSync(file) ? [] : besides(file);
      for (const name of company) await rm(name, { force: true });
      await removePartial(partial);
      removed.push(path.basename(partial));
    }
    return removed;
  });
}

/** Removes what a run that failed has written for a backup that did not get its name. */
export async function discardUnpublished(file: string): Promise<void> {
  if (existsSync(file)) return;
  for (const name of [...besides(file), partialName(file)]) await rm(name, { force: true });
}
