import type { BackupManifest, BackupRows } from '../catalog/manifest.js';
import type { VectorIndex } from '../restore/fast-settings.js';
import type { Requirements } from '../restore/findings.js';
import type { ArchiveRoles } from './archive.js';
import type { Toc } from './toc.js';

/** Names as they are, not quoted. */
export interface NamedVectorIndex extends VectorIndex {
  readonly schema: string;
  readonly index: string;
}

/** A backup that lies here as a plain archive and was found whole. What its manifest does not say is null. */
export interface RestorableBackup
  extends Requirements, Pick<ArchiveRoles, 'grantees'>, Pick<BackupManifest, 'catalog' | 'migration'> {
  readonly file: string;
  /** `sql`: text of the embedded database, which has no table of contents. */
  readonly format: 'custom' | 'sql';
  readonly sha256: string;
  /** The file of roles and memberships beside it; null when there is none. */
  readonly globalsFile: string | null;
  /** By the manifest; empty without one. */
  readonly rows: readonly BackupRows[];
  readonly vectorIndexes: readonly NamedVectorIndex[];
  readonly toc: Toc;
  /** What is not in it, for people; undefined: all is, as far as the manifest says. */
  readonly lacks: string | undefined;
}
