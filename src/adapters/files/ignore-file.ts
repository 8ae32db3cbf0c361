import { resolve } from 'node:path';

import { parseIgnores, type Ignore } from '../../config/ignores.js';
import { readText } from './read.js';

/** In the directory that aisec runs in. They belong in version control: who ignores a finding says why, and until when. */
export const IGNORE_FILES = { doctor: '.aisec-doctor.json', drift: '.aisec-drift.json' } as const;

/**
 * The findings that a command is to ignore. Only a file that was named must exist.
 *
 * @throws AisecError CONFIG_INVALID.
 */
export function readIgnoreFile(
  command: keyof typeof IGNORE_FILES,
  file: string | undefined,
  cwd: string,
): readonly Ignore[] {
  const path = resolve(cwd, file ?? IGNORE_FILES[command]);
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
