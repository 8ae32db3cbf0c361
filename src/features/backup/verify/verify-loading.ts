import { readManifest } from '../catalog/manifest.js';
import type { OpenOptions } from '../../../adapters/postgres/open-options.js';
import { requireLoadable } from '../embedded/require-loadable.js';
import { compareLoaded } from '../embedded/compare-loaded.js';
import { verifyAs, withWhole, type VerifyOptions, type VerifyResult } from '../verify.js';

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
