import { resolve } from 'node:path';

import { readText } from '../../adapters/files/read.js';
import { parseIgnores, type Ignore } from './ignores.js';

/** In the directory that aisec runs in. It belongs in version control: who ignores a finding says why, and until when. */
export const IGNORE_FILE = '.aisec-doctor.json';

/**
 * The findings to ignore. Only a file that was named must exist.
 *
 * @throws AisecError CONFIG_INVALID.
 */
export function readIgnoreFile(file: string | undefined, cwd: string): readonly Ignore[] {
  const path = resolve(cwd, file ?? IGNORE_FILE);
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    if (file === undefined && cause?.code === 'ENOENT') return [];
    throw error;
  }
  return parseIgnores(text, path);
}
