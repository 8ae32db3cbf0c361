import { checkRecipients, readRecipients } from '../../../adapters/encryption/recipients.js';
import type { BackupOptions } from './finish.js';

/** Public keys of age, those of the file, too; empty: the backup is not encrypted. @throws AisecError USAGE, CONFIG_INVALID, PACKAGE_MISSING. */
export async function recipientsOf({
  encryptTo,
  recipientsFile,
}: Pick<BackupOptions, 'encryptTo' | 'recipientsFile'>): Promise<readonly string[]> {
  if (encryptTo === undefined && recipientsFile === undefined) return [];
  const ofFile = recipientsFile === undefined ? [] : readRecipients(recipientsFile);
  return checkRecipients([...(encryptTo ?? []), ...ofFile]);
}
