import type { WrittenEntry } from '../../../adapters/files/zip.js';

export interface ExportedRows {
  /** With schema. */
  readonly table: string;
  /** In the ZIP file. */
  readonly file: string;
  readonly rows: number;
  /** Kept about the person, and left out since the policies do not show them. */
  readonly hiddenRows: number;
}

/** A month that is in the database no more, only in a file of `archive export`. */
export interface ExportedFileMonth {
  readonly month: string;
  readonly source: string;
  /** Null when the file could not be read. */
  readonly rows: number | null;
  readonly reason: string | null;
}

/** manifest.json of the ZIP file. */
export interface PersonManifest {
  readonly kind: 'aisec user export';
  readonly version: 1;
  readonly user: string;
  readonly database: string;
  readonly schema: string;
  /** Name of the newest migration. */
  readonly schemaVersion: string | null;
  /** All rows are as they were then: one MVCC snapshot. */
  readonly snapshotAt: string;
  /** `policies`: what the user may see in a service; `all`: all that is kept about them. */
  readonly scope: 'policies' | 'all';
  readonly tables: readonly ExportedRows[];
  readonly months: readonly ExportedFileMonth[];
  /** Columns that are never exported: passwords and other secrets, as `schema.table.column`. */
  readonly leftOutColumns: readonly string[];
  /** Every other entry of the ZIP file. */
  readonly entries: readonly WrittenEntry[];
  readonly toolVersion: string;
}
