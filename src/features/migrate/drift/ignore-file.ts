import { readIgnoreFile } from '../../../adapters/files/ignore-file.js';
import type { Ignore } from '../../../config/ignores.js';

/** The differences to ignore. @throws AisecError CONFIG_INVALID. */
export function readDriftIgnores(file: string | undefined, cwd: string): readonly Ignore[] {
  return readIgnoreFile('drift', file, cwd);
}
