import { AisecError } from '../../base/errors.js';
import { readText } from '../files/read.js';
import { loadAge } from './age.js';

const HINT = 'Make a pair of keys with: age-keygen -o key.txt; and give its public key, age1…';
/** X25519, which every version of age reads; age1pq1… and age1tag1… need a newer one or a plugin. */
const NATIVE = /^age1[02-9ac-hj-np-z]{58}$/;

/**
 * Public keys that can be encrypted to, each once.
 *
 * @throws AisecError USAGE for one that is none; a secret key is never shown. PACKAGE_MISSING.
 */
export async function checkRecipients(texts: readonly string[]): Promise<readonly string[]> {
  const recipients = [...new Set(texts.map((text) => text.trim()))];
  if (recipients.length === 0 || recipients.includes(''))
    throw new AisecError('USAGE', 'the key to encrypt to is empty', { hint: `${HINT} Is a shell variable not set?` });
  if (recipients.some((text) => /^age-secret-key-/i.test(text)))
    throw new AisecError('USAGE', 'a secret key was given where a public one belongs', {
      detail: 'It now stands in the list of processes and in the history of the shell.',
      hint: 'Make a new pair of keys, and give its public key, age1…',
    });
  const { Encrypter } = await loadAge();
  for (const recipient of recipients) {
    try {
      if (!NATIVE.test(recipient)) throw new Error('It is not an X25519 key of age');
      new Encrypter().addRecipient(recipient);
    } catch (error) {
      throw new AisecError('USAGE', `"${recipient}" cannot be encrypted to`, {
        detail: NATIVE.test(recipient)
          ? 'Its checksum is wrong: it was not copied whole.'
          : 'It is not an X25519 key of age.',
        hint: HINT,
        cause: error,
      });
    }
  }
  return recipients;
}

/**
 * The public keys in a file as `age -R` takes it: one a line, with empty lines and comments (#) between them.
 *
 * @throws AisecError CONFIG_INVALID naming the line that is none; a secret key is never shown.
 */
export function readRecipients(file: string): readonly string[] {
  const lines = readText(file)
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
  if (lines.length === 0)
    throw new AisecError('CONFIG_INVALID', `"${file}" has no key to encrypt to`, {
      detail: 'It has no line that is not empty or a comment.',
      hint: HINT,
    });
  for (const { text, number } of lines) {
    if (/^age-secret-key-/i.test(text))
      throw new AisecError('CONFIG_INVALID', `"${file}" has a secret key in line ${number}`, {
        detail: 'A file of recipients has public keys, age1….',
        hint: `Make one from it: age-keygen -y ${file}`,
      });
    if (!NATIVE.test(text))
      throw new AisecError('CONFIG_INVALID', `"${file}" has no X25519 key of age in line ${number}`, { hint: HINT });
  }
  return lines.map(({ text }) => text);
}
