import { AisecError } from '../../../base/errors.js';
import type { BackupManifest } from '../catalog/manifest.js';
import { ENGINE_MAJOR } from '../../../adapters/embedded/directory.js';

/**
 * Whether the embedded database can read a data directory: only its own major version of PostgreSQL can. PGlite itself
 * would end without a reason.
 *
 * @throws AisecError BACKUP_FORMAT, before anything is touched.
 */
export function requireLoadable(file: string, manifest: BackupManifest): void {
  const { format, serverMajor, toolVersion } = manifest;
  if (format !== 'embedded' || serverMajor === ENGINE_MAJOR) return;
  throw new AisecError('BACKUP_FORMAT', `${file} was made by PostgreSQL ${serverMajor} (PGlite ${toolVersion})`, {
    detail: `The embedded database of this aisec is PostgreSQL ${ENGINE_MAJOR}, which cannot read its data directory.`,
    hint: 'Restore it with the aisec that made it, then back up with: aisec backup --format sql',
  });
}
