import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { withNewFile } from './new-file.js';

/** Makes what was written survive a crash of the machine. */
export async function flush(file: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(file, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What file systems say that have no fsync of a directory, such as SMB and some FUSE. */
const NO_FLUSH: readonly string[] = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR'];

/** Makes names that were given or taken in a directory survive a crash, where the file system can do that. */
export async function flushDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory.
  if (process.platform === 'win32') return;
  try {
    await flush(directory, 'r');
  } catch (error) {
    if (!NO_FLUSH.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Renames a finished file and makes the new name survive a crash. */
export async function publish(partial: string, file: string): Promise<void> {
  await rename(partial, file);
  await flushDirectory(path.dirname(path.resolve(file)));
}

/** Writes a text to a file, whole or not at all; only its owner can read it, unless `mode` says otherwise. */
export async function writeSmallFile(file: string, text: string | Uint8Array, mode = 0o600): Promise<void> {
  const partial = `${file}.partial`;
  await rm(partial, { force: true });
  await withNewFile(partial, async (target) => pipeline([text], target), mode);
  await publish(partial, file);
}
