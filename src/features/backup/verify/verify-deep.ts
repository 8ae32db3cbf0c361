import { AisecError } from '../../../base/errors.js';
import type { OpenOptions } from '../../../adapters/postgres/open-options.js';
import type { ServerAccess } from '../access.js';
import { readManifest } from '../catalog/manifest.js';
import { readBackup } from '../contents/read-backup.js';
import { compareLoaded } from '../embedded/compare-loaded.js';
import { requireLoadable } from '../embedded/require-loadable.js';
import { verifyName } from '../restore/database/database-names.js';
import { RestoredOtherwise } from '../restore/restore-checked.js';
import { withScratchRestore, type ScratchOptions } from '../restore/database/scratch.js';
import { verifyAs, withWhole, type VerifyOptions, type VerifyResult } from '../verify.js';

export interface DeepVerifyOptions extends VerifyOptions {
  readonly withoutOwners: boolean;
  readonly withoutPrivileges: boolean;
  readonly jobs: number;
  readonly waitMs: number;
}

/** All of the archive was restored, and other rows came out of it than went in. */
function asDamage({ message, detail, hint }: RestoredOtherwise): AisecError {
  return new AisecError('BACKUP_DAMAGED', message, { detail, hint });
}

/**
 * Restores a plain backup into a scratch database, compares it, runs the callback and drops it whatever happens.
 *
 * @throws AisecError BACKUP_DAMAGED when other rows came out of it, and as `withScratchRestore`.
 */
export async function restoreAndCompare(
  access: ServerAccess,
  file: string,
  options: ScratchOptions,
  use: () => Promise<void>,
): Promise<void> {
  const backup = await readBackup(access, file, { withoutManifest: false, onProgress: options.onProgress });
  await withScratchRestore(access, backup, options, use).catch((error: unknown) => {
    throw error instanceof RestoredOtherwise && error.hasOtherRows ? asDamage(error) : error;
  });
}

/**
 * Verifies one backup by restoring it into a scratch database, `aisec_verify_<database>`, comparing rows and catalog
 * with the manifest, and dropping it again; stamps the manifest.
 *
 * @throws AisecError RESTORE_BLOCKED when the server lacks what the backup needs, RUN_LOCKED, and as `verifyBackup`.
 */
export async function verifyDeeply(
  access: ServerAccess,
  file: string,
  options: DeepVerifyOptions,
): Promise<VerifyResult> {
  return verifyAs('deep', file, options, (manifest) =>
    withWhole(file, manifest, options, (plain) =>
      restoreAndCompare(access, plain, { ...options, scratch: verifyName(manifest.database) }, () => Promise.resolve()),
    ),
  );
}

/**
 * Verifies one backup of the embedded database by loading it into another one in memory and comparing rows and catalog
 * with the manifest; stamps the manifest. No server is needed.
 *
 * @throws AisecError BACKUP_FORMAT for another major version, and as `verifyBackup`.
 */
export async function verifyByLoading(
  file: string,
  options: VerifyOptions & { readonly engine: OpenOptions },
): Promise<VerifyResult> {
  return verifyAs('deep', file, options, async (manifest) => {
    requireLoadable(file, manifest);
    await withWhole(file, manifest, options, async (plain) =>
      compareLoaded(plain, await readManifest(plain), { ...options, format: manifest.format }),
    );
  });
}
