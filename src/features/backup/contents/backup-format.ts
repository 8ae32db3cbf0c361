import { existsSync } from 'node:fs';
import path from 'node:path';

import { readText } from '../../../adapters/files/read.js';
import { AisecError } from '../../../base/errors.js';
import { parseManifest } from '../catalog/manifest.js';
import { manifestName, parseBackupFileName, plainName, type BackupFormat } from '../catalog/names.js';
import { shellWord } from '../../../base/package/aisec-command.js';

/** By its name, where that is one of ours; nothing is opened. */
export function formatByName(given: string): BackupFormat | undefined {
  const name = path.basename(given);
  const extension = plainName(name);
  if (extension.endsWith('.pgdata.tgz')) return 'embedded';
  if (extension.endsWith('.sql.gz')) return 'sql';
  return parseBackupFileName(name)?.format;
}

/** By its manifest, else by its name; a file that shows neither is taken for an archive of pg_dump. */
export function formatOf(file: string): BackupFormat {
  const manifest = manifestName(file);
  if (!existsSync(manifest)) return formatByName(file) ?? 'custom';
  return parseManifest(readText(manifest), manifest).format;
}

/** @throws AisecError BACKUP_FORMAT for a backup that a server cannot take. */
export function requireForServer(file: string, format: BackupFormat | undefined): void {
  if (format !== 'embedded') return;
  throw new AisecError(
    'BACKUP_FORMAT',
    `${file} is a data directory of the embedded database, which no server can read`,
    {
      detail: 'A server is configured, so the backup would be restored there.',
      hint: 'Restore it without DATABASE_URL (aisec restore FILE --create DIR); to go to a server, aisec backup --format sql there.',
    },
  );
}

/** @throws AisecError BACKUP_FORMAT for a backup whose parts cannot be taken one by one. */
export function requireArchive(file: string, format: BackupFormat | undefined): void {
  requireForServer(file, format);
  if (format !== 'sql') return;
  throw new AisecError('BACKUP_FORMAT', `${file} is SQL, which can only be restored as a whole`, {
    hint: `Restore it beside, and take what is needed from there: aisec restore ${shellWord(file)} --create NAME`,
  });
}

/** @throws AisecError BACKUP_FORMAT for a backup that the embedded database cannot take. */
export function requireForEmbedded(file: string, format: BackupFormat | undefined): void {
  if (format !== 'custom') return;
  throw new AisecError('BACKUP_FORMAT', `${file} is an archive of pg_dump, which only a server can restore`, {
    detail: 'No server is configured, so the backup would be restored into the embedded database.',
    hint: 'Set DATABASE_URL to a server, or give --database-url.',
  });
}
