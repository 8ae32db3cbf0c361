import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';

import { writeWhole } from '../../adapters/files/write-whole.js';
import { AisecError, messageOf } from '../../base/errors.js';

/**
 * A file that is written at the end can be: its directory is there and can be written to, and it is no directory itself.
 *
 * @throws AisecError USAGE, before anything is opened.
 */
export async function requireWritable(file: string): Promise<void> {
  const directory = path.dirname(file);
  const refuse = (message: string, hint: string, cause?: unknown): AisecError =>
    new AisecError('USAGE', message, { hint, cause });
  try {
    await access(directory, constants.W_OK);
  } catch (error) {
    throw refuse(`cannot write to the directory ${directory}`, `${messageOf(error)}. Make it, or name another.`, error);
  }
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory() === true) throw refuse(`${file} is a directory`, 'Name a file in it.');
}

/** Writes a file whole or not at all, whatever other processes do with it meanwhile. `mode` is what others may do with it, whatever the umask. */
export function writeReport(file: string, text: string, mode: number): void {
  writeWhole(file, text, mode);
}
