import { readIgnoreFile } from '../../adapters/files/ignore-file.js';
import type { Ignore } from '../../config/ignores.js';

/** The findings of doctor to ignore. @throws AisecError CONFIG_INVALID. */
export function readDoctorIgnores(file: string | undefined, cwd: string): readonly Ignore[] {
  return readIgnoreFile('doctor', file, cwd);
}
