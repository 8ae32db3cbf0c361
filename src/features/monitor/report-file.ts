import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';

import { writeWhole } from '../../adapters/files/write-whole.js';
import { AisecError, messageOf } from '../../base/errors.js';

/**
 * A file that is written at the end can be: its folder is there and can be written to, and it is no folder itself.
 *
 * @throws AisecError USAGE, before anything is opened.
 */
export async function requireWritable(file: string): Promise<void> {
  const folder = path.dirname(file);
  const refuse = (message: string, hint: string, cause?: unknown): AisecError =>
    new AisecError('USAGE', message, { hint, cause });
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw refuse(`cannot write to the folder ${folder}`, `${messageOf(error)}. Make it, or name another.`, error);
  }
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory() === true) throw refuse(`${file} is a folder`, 'Name a file in it.');
}

/** Writes a file whole or not at all, whoever reads or writes it meanwhile. `mode` is what others may do with it, whatever the umask. */
export function writeReport(file: string, text: string, mode: number): void {
  writeWhole(file, text, mode);
}
