import { shellWord } from '../../base/aisec-command.js';
import { readBackupDirectory } from './catalog/directory.js';
import { isVerified } from './catalog/manifest.js';
import { backupFinding, backupFindings, type BackupCheckOptions, type BackupFinding } from './catalog/findings.js';

export interface BackupCheck {
  readonly directory: string;
  readonly isHealthy: boolean;
  readonly findings: readonly BackupFinding[];
  /** The newest verified backup of each database. */
  readonly newest: readonly { readonly database: string; readonly file: string; readonly createdAt: string }[];
}

/**
 * Checks the backups in a directory by their manifests, without a server and without opening one.
 *
 * @throws AisecError BACKUP_DIRECTORY when it cannot be read.
 */
export async function checkBackups(options: BackupCheckOptions): Promise<BackupCheck> {
  const directory = await readBackupDirectory(options.directory);
  const now = new Date();
  const findings = backupFindings(directory, options, now);
  const newest = new Map<string, BackupCheck['newest'][number]>();
  for (const { file, manifest, createdAt } of directory.backups)
    if (isVerified(manifest) && createdAt <= now && !newest.has(manifest.database))
      newest.set(manifest.database, { database: manifest.database, file, createdAt: manifest.createdAt });
  // A directory without a single backup says nothing of which database is meant.
  const none: readonly BackupFinding[] =
    findings.length === 0 && newest.size === 0
      ? [
          backupFinding(
            'missing',
            { database: '', file: null },
            {
              message: `there is no backup in ${options.directory}`,
              impact: 'if the server fails, all data is lost',
              fix: `aisec backup --dir ${shellWord(options.directory)}`,
            },
          ),
        ]
      : [];
  const all = [...findings, ...none];
  return { directory: options.directory, isHealthy: all.length === 0, findings: all, newest: [...newest.values()] };
}
