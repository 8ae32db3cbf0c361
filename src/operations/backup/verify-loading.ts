import { readManifest } from '../../adapters/backups/manifest.js';
import type { OpenOptions } from '../../adapters/postgres/open-options.js';
import { withLocalBackup } from '../../adapters/restoring/local-backup.js';
import { requireLoadable } from '../../adapters/restoring/require-loadable.js';
import { manifestOf } from './any-backup.js';
import { proveByLoading } from './prove-by-loading.js';
import { checkWhole, faultOf, recordVerification, type VerifyOptions, type VerifyResult } from './verify.js';

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
  const startedMs = performance.now();
  const manifest = await manifestOf(file, options);
  requireLoadable(file, manifest);
  const fault = await faultOf(async () => {
    await checkWhole(file, manifest, options);
    const local = { ...options, environment: options.places.environment, withoutManifest: false };
    await withLocalBackup(file, local, async (plain) =>
      proveByLoading(plain, await readManifest(plain), { ...options, format: manifest.format }),
    );
  });
  const stamped = await recordVerification(file, 'deep', fault, options);
  return {
    file,
    database: stamped.database,
    level: 'deep',
    isGood: fault === undefined,
    reason: fault ?? null,
    sizeBytes: stamped.sizeBytes,
    verifiedAt: new Date().toISOString(),
    durationMs: Math.round(performance.now() - startedMs),
  };
}
