import { encryptFile } from '../../../adapters/encryption/encrypt.js';
import { checkRecipients, readRecipients } from '../../../adapters/encryption/recipients.js';
import type { UserExportOptions } from '../export.js';

/**
 * Encrypts an export to public keys of age, those of a file, too; undefined when none was given.
 *
 * @throws AisecError USAGE, CONFIG_INVALID, PACKAGE_MISSING.
 */
export async function encryptionFor(
  encryptTo: readonly string[] | undefined,
  recipientsFile: string | undefined,
): Promise<UserExportOptions['encrypt']> {
  if (encryptTo === undefined && recipientsFile === undefined) return undefined;
  const ofFile = recipientsFile === undefined ? [] : readRecipients(recipientsFile);
  const recipients = await checkRecipients([...(encryptTo ?? []), ...ofFile]);
  return (plain, encrypted, signal) => encryptFile(plain, encrypted, { recipients, signal, onBytes: () => undefined });
}
