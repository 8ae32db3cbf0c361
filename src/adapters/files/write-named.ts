import { AisecError, messageOf } from '../../base/errors.js';
import { writeWhole } from './write-whole.js';

/**
 * Writes a file that a user named, whole or not at all.
 *
 * @throws AisecError CONFIG_INVALID when it cannot be written.
 */
export function writeNamed(
  file: string,
  text: string,
  { mode, hint }: { readonly mode?: number; readonly hint?: string } = {},
): void {
  try {
    writeWhole(file, text, mode);
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not write "${file}"`, {
      detail: `${messageOf(error)}.`,
      hint,
      cause: error,
    });
  }
}
