import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory that only its owner can enter, and those above it. Not `recursive`: Node 20 loops for ever in a directory
 * that answers ENOENT though it is there, such as /proc.
 *
 * @throws what the file system throws: no space, no permission, a file of that name.
 */
export function makeDirectory(directory: string): void {
  const parent = dirname(directory);
  if (!existsSync(parent)) makeDirectory(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
