import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const OWNER_ONLY = 0o700;
/** Of the embedded database, which is often in the work tree of a project. */
const OUR_DIRECTORY = '.aisec';

/** Gives others what the umask took from them; some file systems have no modes, and take what is there as it is. */
function widen(directory: string, mode: number): void {
  try {
    chmodSync(directory, mode);
  } catch {
    // Then there is nothing to give.
  }
}

/** A directory that ignores itself, so that no data is committed with all that is there. */
function keepOutOfGit(directory: string): void {
  try {
    writeFileSync(join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch {
    // The database does without.
  }
}

/**
 * Makes a directory that only its owner can enter, unless `mode` says otherwise, and those above it. Not `recursive`: Node 20 loops for ever in a directory
 * that answers ENOENT though it is there, such as /proc.
 *
 * @throws what the file system throws: no space, no permission, a file of that name.
 */
export function makeDirectory(directory: string, mode = OWNER_ONLY): void {
  const parent = dirname(directory);
  if (!existsSync(parent)) makeDirectory(parent, mode);
  try {
    mkdirSync(directory, { mode });
    if (mode !== OWNER_ONLY) widen(directory, mode);
    if (basename(directory) === OUR_DIRECTORY) keepOutOfGit(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
