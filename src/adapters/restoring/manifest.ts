import { readFile } from 'node:fs/promises';

import { AisecError, messageOf } from '../../base/errors.js';
import { manifestName } from '../backups/names.js';
import type { CatalogSnapshot } from '../catalog/catalog.js';
import type { TableRows } from './compare-rows.js';

/** What a restore takes from the manifest beside an archive. */
export interface RestoreManifest {
  readonly sha256: string;
  /** Of the database, not of the file. */
  readonly sizeBytes: number | undefined;
  readonly extensions: ReadonlyMap<string, string>;
  readonly rows: readonly TableRows[];
  readonly catalog: { readonly schema: string; readonly snapshot: CatalogSnapshot } | null;
}

interface ManifestDocument {
  readonly sha256?: unknown;
  readonly databaseSizeBytes?: unknown;
  readonly extensions?: readonly { readonly name: string; readonly version: string }[];
  readonly rows?: readonly TableRows[];
  readonly catalog?: RestoreManifest['catalog'];
}

/** Undefined when there is none. @throws AisecError BACKUP_INVALID for one that cannot be read. */
export async function readManifest(archive: string): Promise<RestoreManifest | undefined> {
  let text: string;
  try {
    text = await readFile(manifestName(archive), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(archive, messageOf(error), error);
  }
  let document: ManifestDocument;
  try {
    document = JSON.parse(text) as ManifestDocument;
  } catch (error) {
    throw unreadable(archive, messageOf(error), error);
  }
  const { sha256, databaseSizeBytes, extensions, rows, catalog } = document;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256) || !Array.isArray(rows))
    throw unreadable(archive, 'It has no checksum, or no row counts', undefined);
  return {
    sha256,
    sizeBytes: typeof databaseSizeBytes === 'number' ? databaseSizeBytes : undefined,
    extensions: new Map((extensions ?? []).map(({ name, version }) => [name, version])),
    rows,
    catalog: catalog ?? null,
  };
}

function unreadable(archive: string, detail: string, cause: unknown): AisecError {
  return new AisecError('BACKUP_INVALID', `the manifest of ${archive} cannot be read`, {
    detail: `${detail}.`,
    hint: 'Restore another backup, or give --without-manifest to have the archive itself read whole first.',
    cause,
  });
}
