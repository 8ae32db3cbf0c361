import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import type { TableRows } from '../verify/compare-rows.js';
import type { VectorIndex } from '../restore/fast-settings.js';
import type { Requirements } from '../restore/findings.js';
import type { Toc } from './toc.js';

/** Names as they are, not quoted. */
export interface NamedVectorIndex extends VectorIndex {
  readonly schema: string;
  readonly index: string;
}

/** A backup that lies here as a plain archive and was found whole. */
export interface RestorableBackup extends Requirements {
  readonly file: string;
  /** `sql`: text of the embedded database, which has no table of contents. */
  readonly format: 'custom' | 'sql';
  readonly sha256: string;
  /** Of the roles: what --no-owner makes unnecessary. */
  readonly owners: readonly string[];
  /** Of the roles: what --no-privileges makes unnecessary. */
  readonly grantees: readonly string[];
  /** Of the roles: what every restore needs, such as those that policies name. */
  readonly indispensableRoles: readonly string[];
  /** The file of roles and memberships beside it; null when there is none. */
  readonly globalsFile: string | null;
  /** By the manifest; empty without one. */
  readonly rows: readonly TableRows[];
  /** The schema of the platform as it was; null where the manifest does not have it. */
  readonly catalog: { readonly schema: string; readonly snapshot: CatalogSnapshot } | null;
  /** Name of the newest migration; null when there is none, or the manifest does not say. */
  readonly migration: string | null;
  readonly vectorIndexes: readonly NamedVectorIndex[];
  readonly toc: Toc;
  /** What is not in it, for people; undefined: all is, as far as the manifest says. */
  readonly lacks: string | undefined;
}
