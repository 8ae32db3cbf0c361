import { openJson, sealJson } from '../../../adapters/encryption/seal.js';
import { factsOf } from '../catalog/facts.js';
import { parseManifest, type BackupManifest } from '../catalog/manifest.js';

/** The manifest of an encrypted backup as it was before it was sealed. */
type Sealed = Pick<BackupManifest, 'roles' | 'extensions' | 'rows' | 'catalog' | 'standby' | 'leftOut'>;

/**
 * Moves what says something of the contents (roles, tables, their columns, policies and comments) into an encrypted part. What `list`,
 * `check` and retention go by stays in plain text, so that they need no secret key.
 *
 * @param recipients public keys of age; none: the manifest stays as it is
 */
export async function sealManifest(manifest: BackupManifest, recipients: readonly string[]): Promise<BackupManifest> {
  if (recipients.length === 0) return manifest;
  const { roles, extensions, rows, catalog, standby, leftOut } = manifest;
  const contents: Sealed = { roles, extensions, rows, catalog, standby, leftOut };
  return {
    ...manifest,
    roles: [],
    extensions: [],
    rows: [],
    catalog: null,
    ...(standby && { standby: { ...standby, unloggedTables: [] } }),
    ...(leftOut && { leftOut: { ...leftOut, patterns: [], tables: [] } }),
    sealed: { data: await sealJson(contents, recipients), rowCount: factsOf(manifest).rowCount },
  };
}

/** The whole manifest; one of an older version, which has no encrypted part, as it is. @throws AisecError ENCRYPTION_KEY, BACKUP_INVALID. */
export async function openManifest(
  manifest: BackupManifest,
  identities: readonly string[],
  source: string,
): Promise<BackupManifest> {
  const { sealed, ...plain } = manifest;
  if (sealed === undefined) return manifest;
  const contents = (await openJson(sealed.data, identities, source)) as Sealed;
  return parseManifest(JSON.stringify({ ...plain, ...contents }), source);
}
