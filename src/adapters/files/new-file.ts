import { open, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * Writes a file that was not there and that, unless `mode` says otherwise, only its owner can read, down to the disk; when anything fails it is gone
 * again.
 *
 * @param write ends the stream, as `pipeline` does
 * @throws what the file system throws, EEXIST for one that is there; what the callback throws.
 */
export async function withNewFile(
  file: string,
  write: (target: Writable) => Promise<void>,
  mode = 0o600,
): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await write(handle.createWriteStream({ flush: true }));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    throw error;
  }
}
