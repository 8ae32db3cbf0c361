import { readBackupFolder } from './catalog/folder.js';
import { isVerified } from './catalog/manifest.js';
import { findBackupFaults, type BackupCheckOptions, type BackupFinding } from './catalog/findings.js';

export interface BackupCheck {
  readonly folder: string;
  readonly isHealthy: boolean;
  readonly findings: readonly BackupFinding[];
  /** The newest verified backup of each database. */
  readonly newest: readonly { readonly database: string; readonly file: string; readonly createdAt: string }[];
}

/**
 * Checks the backups in a folder by their manifests, without a server and without opening one.
 *
 * @throws AisecError BACKUP_FOLDER when it cannot be read.
 */
export async function checkBackups(path: string, options: BackupCheckOptions): Promise<BackupCheck> {
  const folder = await readBackupFolder(path);
  const now = new Date();
  const findings = findBackupFaults(folder, options, now);
  const newest = new Map<string, BackupCheck['newest'][number]>();
  for (const { file, manifest, createdAt } of folder.backups)
    if (isVerified(manifest) && createdAt <= now && !newest.has(manifest.database))
      newest.set(manifest.database, { database: manifest.database, file, createdAt: manifest.createdAt });
  // A folder without a single backup says nothing of which database is meant.
  const none: readonly BackupFinding[] =
    findings.length === 0 && newest.size === 0
      ? [
          {
            kind: 'missing',
            database: '',
            file: null,
            what: `there is no backup in ${path}`,
            why: 'What the server loses is lost.',
            mend: `aisec backup --dir ${path}`,
          },
        ]
      : [];
  const all = [...findings, ...none];
  return { folder: path, isHealthy: all.length === 0, findings: all, newest: [...newest.values()] };
}
