import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { AisecError, messageOf } from '../../base/errors.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import { modeReadableByOthers } from '../files/permissions.js';
import { withNewFile } from '../files/new-file.js';
import { readText } from '../files/read.js';
import { isNoSpace } from '../files/space.js';
import { loadAge } from './age.js';
import { asWebStream, bytesOf, fromWebStream } from './bytes.js';
import { shellWord } from '../../base/package/aisec-command.js';

const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;

/**
 * The secret keys in a file as `age-keygen` writes it.
 *
 * @throws AisecError CONFIG_INVALID when it cannot be read, others can read it, or it has none. Keys are never shown.
 */
export function readIdentities(file: string): readonly string[] {
  const text = readText(file);
  const mode = modeReadableByOthers(file);
  if (mode !== undefined)
    throw new AisecError('CONFIG_INVALID', `the key file "${file}" can be read by others`, {
      detail: `Its mode is ${mode}.`,
      hint: `Run: chmod 600 ${shellWord(file)}`,
    });
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const isEncrypted =
    keys[0]?.startsWith('age-encryption.org/') === true || keys[0]?.startsWith('-----BEGIN AGE') === true;
  if (keys.length > 0 && keys.every((key) => IDENTITY.test(key))) return keys;
  throw new AisecError('CONFIG_INVALID', `"${file}" is not a file of secret keys`, {
    detail: isEncrypted ? 'It is encrypted itself.' : 'It needs a line AGE-SECRET-KEY-1… for each key.',
    hint: isEncrypted ? `Decrypt it first: age -d ${shellWord(file)}` : 'Give the file that age-keygen wrote.',
  });
}

export interface DecryptOptions {
  /** Of `readIdentities`. */
  readonly identities: readonly string[];
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

async function decryptTo(file: string, target: Writable, options: DecryptOptions): Promise<void> {
  const { identities, signal, onBytes } = options;
  const { Decrypter } = await loadAge();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    const decrypted = await decrypter.decrypt(asWebStream(bytesOf(file, onBytes ?? (() => undefined))));
    await pipeline(fromWebStream(decrypted), target, { signal });
  } catch (error) {
    throwIfInterrupted(signal);
    throw decryptError(file, error);
  }
}

function decryptError(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (isNoSpace(error)) return error;
  if (/no identity matched/.test(messageOf(error)))
    return new AisecError('ENCRYPTION_KEY', `no key that was given opens "${file}"`, {
      hint: 'Give the file with the secret key of one of its recipients, which the manifest names: --identity FILE',
      cause: error,
    });
  if (code !== undefined && /^E[A-Z]+$/.test(code))
    return new AisecError('BACKUP_UNKNOWN', `could not read "${file}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  return new AisecError('BACKUP_INVALID', `"${file}" cannot be decrypted`, {
    detail: `It is damaged, or no file of age: ${messageOf(error)}.`,
    hint: 'Use another backup, or another copy of this one.',
    cause: error,
  });
}

/**
 * Decrypts to a new file that only its owner can read; when anything fails there is none.
 *
 * @throws AisecError ENCRYPTION_KEY when no key fits, BACKUP_INVALID when it is damaged, PACKAGE_MISSING; what the file
 *   system throws for want of space.
 */
export async function decryptFile(file: string, target: string, options: DecryptOptions): Promise<void> {
  await withNewFile(target, (stream) => decryptTo(file, stream, options));
}
