import { basename } from 'node:path';

import { sealText } from '../../../adapters/encryption/seal.js';
import { checksumOf } from '../../../adapters/files/checksum.js';
import { writeSmallFile } from '../../../adapters/files/publish.js';
import type { BackupFileMode } from '../catalog/file-mode.js';
import type { BackupSideFile } from '../catalog/manifest.js';
import { globalsName } from '../catalog/names.js';

export interface RolesFileOptions {
  readonly mode: BackupFileMode;
  /** Public keys of age; empty: it is not encrypted. */
  readonly recipients: readonly string[];
  readonly signal: AbortSignal;
}

/** Writes the statements that make the roles beside a backup, encrypted as the backup is, before anything is on the disk. */
export async function writeRolesFile(
  file: string,
  text: string,
  { mode, recipients, signal }: RolesFileOptions,
): Promise<BackupSideFile> {
  const globals = globalsName(file);
  await writeSmallFile(globals, recipients.length === 0 ? text : await sealText(text, recipients), mode);
  return { file: basename(globals), ...(await checksumOf(globals, signal)) };
}
