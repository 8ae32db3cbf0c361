import { modeReadableByOthers } from '../../adapters/files/permissions.js';
import { readText } from '../../adapters/files/read.js';
import { AisecError } from '../../base/errors.js';
import { passwordWeakness } from './admin-password.js';

export interface PasswordSources {
  /** A file whose first line it is; wins over `value`. Absolute. */
  readonly file: string | undefined;
  /** AISEC_ADMIN_PASSWORD. */
  readonly value: string | undefined;
}

function firstLine(path: string): string {
  return (
    readText(path)
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/, 1)[0] ?? ''
  );
}

/**
 * The admin password that was given, or undefined when none was.
 *
 * @throws AisecError CONFIG_INVALID for a file that cannot be read and for a weak password, which is never repeated.
 */
export function givenPassword(sources: PasswordSources, onWarning: (text: string) => void): string | undefined {
  const { file, value } = sources;
  const password = file === undefined ? value : firstLine(file);
  if (password === undefined) return undefined;
  const source = file === undefined ? 'AISEC_ADMIN_PASSWORD' : `"${file}"`;
  const weakness = passwordWeakness(password);
  if (weakness !== undefined) {
    throw new AisecError('CONFIG_INVALID', `the admin password in ${source} ${weakness}`, {
      hint: 'It needs 12 characters or more, at most 72 bytes, and nothing that is on every list; `openssl rand -base64 18` makes one.',
    });
  }
  const mode = file === undefined ? undefined : modeReadableByOthers(file);
  if (mode !== undefined) onWarning(`the password file ${source} can be read by others (mode ${mode}): chmod 600 it`);
  return password;
}
