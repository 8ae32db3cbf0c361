import path from 'node:path';

import { shellWord } from '../../base/package/aisec-command.js';
import { describeObject } from '../../adapters/object-store/objects.js';
import { withStore, type Store, type StoreOptions } from '../../adapters/object-store/store.js';
import { listUnfinished } from '../../adapters/object-store/unfinished.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { storeFlags, storeUrl, type StorePlace } from '../../config/store-url.js';
import { readBackupDirectory, type IncompleteBackup } from './catalog/directory.js';
import { isVerifiedFull } from './catalog/manifest.js';
import type { CheckedBackups, CheckedPlace } from './check/broken-findings.js';
import { backupFinding, type BackupFinding } from './check/finding.js';
import { backupFindings, type BackupCheckOptions } from './check/findings.js';
import { unlistedText } from './store/left-behind.js';
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
  /** What is worth knowing of the place, and is no finding. */
  readonly notes: readonly string[];
}

function judge(directory: string, found: CheckedBackups, options: BackupCheckOptions & CheckedPlace): BackupCheck {
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
  return { directory, isHealthy: all.length === 0, findings: all, newest: [...newest.values()], notes: [] };
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

/** Of incomplete copies whose backup is here, whole, and goes to where they are: the command that completes each. */
async function completions(
  store: Store,
  incomplete: readonly IncompleteBackup[],
  directory: string,
  at: string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (incomplete.length === 0) return found;
  const here = await readBackupDirectory(directory).catch((error: unknown) => {
    if (isAisecError(error, 'BACKUP_DIRECTORY')) return { backups: [] };
    throw error;
  });
  for (const { file } of incomplete) {
    const local = here.backups.find(({ manifest }) => manifest.file === path.basename(file));
    if (local === undefined || local.manifest.damage !== null) continue;
    const there = await describeObject(store, local.manifest.file);
    if (there === undefined || there.sha256 === local.manifest.sha256)
      found.set(file, `aisec backup upload ${shellWord(local.file)} ${at}`);
  }
  return found;
}

/**
 * Checks the copies in a store as `checkBackups`: a backup here says nothing of whether one is away from here.
 *
 * @param options with the directory of the backups here, which complete those there
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, STORE_FAILED.
 */
export async function checkCopies(
  place: StorePlace,
  access: StoreOptions,
  { directory, ...options }: BackupCheckOptions & { readonly directory: string },
): Promise<BackupCheck> {
  const url = storeUrl(place).replace(/\/$/, '');
  const reach = place.endpoint === undefined ? '' : ` --endpoint ${shellWord(place.endpoint)}`;
  const at = storeFlags(place);
  const commands = { makeCommand: `aisec backup upload --all ${at}`, drillCommand: `aisec backup drill ${at}` };
  return withStore(place, access, async (store) => {
    const copies = await readBackupCopies(store);
    const completing = await completions(store, copies.incomplete, directory, at);
    const unfinished = await listUnfinished(store, '');
    const notes = unfinished instanceof AisecError ? [unlistedText(unfinished)] : [];
    return { ...judge(url, copies, { ...options, ...commands, reach, completing }), notes };
  });
}
