import { shellWord } from '../../base/package/aisec-command.js';
import { withStore, type StoreOptions } from '../../adapters/object-store/store.js';
import { storeFlags, storeUrl, type StorePlace } from '../../config/store-url.js';
import { readBackupDirectory, type BackupDirectory } from './catalog/directory.js';
import {
  backupFinding,
  backupFindings,
  type BackupCheckOptions,
  type BackupFinding,
  type CheckedPlace,
} from './catalog/findings.js';
import { isVerifiedFull } from './catalog/manifest.js';
import { readBackupCopies } from './store/remote-backups.js';

export { BACKUP_DUE_AFTER_MS } from './catalog/due.js';
export { readWalArchive, type WalArchive } from './server/wal-archive.js';

export interface BackupCheck {
  /** Or the address of the directory in a store. */
  readonly directory: string;
  readonly isHealthy: boolean;
  readonly findings: readonly BackupFinding[];
  /** The newest verified backup of each database. */
  readonly newest: readonly { readonly database: string; readonly file: string; readonly createdAt: string }[];
}

function judge(
  directory: string,
  found: Pick<BackupDirectory, 'backups' | 'incomplete'>,
  options: BackupCheckOptions & CheckedPlace,
): BackupCheck {
  const now = new Date();
  const findings = backupFindings(found, options, now);
  const newest = new Map<string, BackupCheck['newest'][number]>();
  for (const { file, manifest, createdAt } of found.backups)
    if (isVerifiedFull(manifest) && createdAt <= now && !newest.has(manifest.database))
      newest.set(manifest.database, { database: manifest.database, file, createdAt: manifest.createdAt });
  // A place without a single backup says nothing of which database is meant.
  const none: readonly BackupFinding[] =
    findings.length === 0 && newest.size === 0
      ? [
          backupFinding(
            'missing',
            { database: '', file: null },
            {
              message: `there is no backup in ${directory}`,
              impact: 'if the server fails, all data is lost',
              fix: options.makeCommand,
            },
          ),
        ]
      : [];
  const all = [...findings, ...none];
  return { directory, isHealthy: all.length === 0, findings: all, newest: [...newest.values()] };
}

/**
 * Checks the backups in a directory by their manifests, without a server and without opening one.
 *
 * @throws AisecError BACKUP_DIRECTORY when it cannot be read.
 */
export async function checkBackups({
  directory,
  ...options
}: BackupCheckOptions & { readonly directory: string }): Promise<BackupCheck> {
  const at = `--dir ${shellWord(directory)}`;
  const place = { makeCommand: `aisec backup ${at}`, drillCommand: `aisec backup drill ${at}`, reach: '' };
  return judge(directory, await readBackupDirectory(directory), { ...options, ...place });
}

/**
 * Checks the copies in a store as `checkBackups`: a backup here says nothing of whether one is away from here.
 *
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED.
 */
export async function checkCopies(
  place: StorePlace,
  access: StoreOptions,
  options: BackupCheckOptions,
): Promise<BackupCheck> {
  const url = storeUrl(place).replace(/\/$/, '');
  const reach = place.endpoint === undefined ? '' : ` --endpoint ${shellWord(place.endpoint)}`;
  const at = storeFlags(place);
  const commands = { makeCommand: `aisec backup upload --all ${at}`, drillCommand: `aisec backup drill ${at}` };
  const copies = await withStore(place, access, (store) => readBackupCopies(store));
  return judge(url, copies, { ...options, ...commands, reach });
}
