import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';

const OWNER_ONLY = 0o600;
/** What cannot have modes, such as SMB, says one of these. */
const NO_MODES: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOSYS'];

/** Gives others what the umask took from them, where more than the owner is meant to read it. */
export async function widen(handle: FileHandle, mode: number): Promise<void> {
  if (mode === OWNER_ONLY) return;
  try {
    await handle.chmod(mode);
  } catch (error) {
    if (!NO_MODES.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/**
 * Writes a file that was not there and that, unless `mode` says otherwise, only its owner can read, down to the disk; when anything fails it is gone
 * again.
 *
 * @param write ends the stream, as `pipeline` does
 * @throws what the file system throws, EEXIST for one that is there; what the callback throws.
 */
export async function withNewFile<Result>(
  file: string,
  write: (target: Writable) => Promise<Result>,
  mode = OWNER_ONLY,
): Promise<Result> {
  const handle = await open(file, 'wx', mode);
  try {
    await widen(handle, mode);
    return await write(handle.createWriteStream({ flush: true }));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    throw error;
  }
}
