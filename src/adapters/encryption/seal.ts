import { gunzipSync, gzipSync } from 'node:zlib';

import type * as Age from 'age-encryption';

import { AisecError, messageOf } from '../../base/errors.js';
import { loadAge } from './age.js';
import { FileKeyListener } from './file-key-listener.js';

/**
 * Encrypts a text to public keys of age, and decrypts the result to compare it: no plain text reaches the disk on the way.
 *
 * @param recipients of `checkRecipients`
 * @throws AisecError BACKUP_INVALID when it does not come back as it was, PACKAGE_MISSING.
 */
export async function sealText(text: string, recipients: readonly string[]): Promise<Uint8Array> {
  const { Encrypter, Decrypter } = await loadAge();
  const listener = new FileKeyListener();
  const encrypter: Age.Encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  encrypter.addRecipient(listener);
  const sealed = await encrypter.encrypt(text);
  const { fileKey } = listener;
  const decrypter: Age.Decrypter = new Decrypter();
  decrypter.addIdentity({ unwrapFileKey: () => fileKey ?? null });
  try {
    if ((await decrypter.decrypt(sealed, 'text')) === text) return sealed;
  } finally {
    fileKey?.fill(0);
  }
  throw new AisecError('BACKUP_INVALID', 'what was encrypted does not decrypt to what it was', {
    hint: 'See whether the memory of this machine fails, and run the command again.',
  });
}

/** A text with much in it that repeats, as base64 of age of gzip. */
export async function sealJson(value: unknown, recipients: readonly string[]): Promise<string> {
  const packed = gzipSync(JSON.stringify(value)).toString('base64');
  return Buffer.from(await sealText(packed, recipients)).toString('base64');
}

/**
 * What `sealJson` was given.
 *
 * @param source for people: where it stands
 * @throws AisecError ENCRYPTION_KEY when no key fits, BACKUP_INVALID when it is damaged.
 */
export async function openJson(sealed: string, identities: readonly string[], source: string): Promise<unknown> {
  const { Decrypter } = await loadAge();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    const packed = await decrypter.decrypt(Buffer.from(sealed, 'base64'), 'text');
    return JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString('utf8'));
  } catch (error) {
    if (/no identity matched/.test(messageOf(error)))
      throw new AisecError('ENCRYPTION_KEY', `no key that was given opens "${source}"`, {
        hint: 'Give the file with the secret key of one of its recipients, which the manifest names: --identity FILE',
        cause: error,
      });
    throw new AisecError('BACKUP_INVALID', `"${source}" cannot be decrypted`, {
      detail: `Its encrypted part is damaged: ${messageOf(error)}.`,
      hint: 'Use another copy of it, or give --without-manifest.',
      cause: error,
    });
  }
}
