import type { BackupManifest } from './manifest.js';

/** What a manifest says without what is long in it: the whole catalog and the rows of every table. */
export type BackupFacts = Omit<BackupManifest, 'rows' | 'catalog' | 'sealed'> & { readonly rowCount: number };

/** The facts of a manifest; a thousand of them fit into memory, where as many catalogs do not. */
export function factsOf(manifest: BackupManifest): BackupFacts {
  const { rows, catalog: _catalog, sealed, ...facts } = manifest;
  return { ...facts, rowCount: sealed?.rowCount ?? rows.reduce((sum, table) => sum + table.rows, 0) };
}
