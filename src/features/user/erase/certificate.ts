import type { Finding } from '../../../base/finding.js';
import type { ScanHit } from './scan.js';
import type { SharedRule } from './plan.js';

export interface ErasedTable {
  /** With schema. */
  readonly table: string;
  readonly before: number;
  /** Rows that still belong to the person; of a table that was anonymised none does. */
  readonly after: number;
  readonly action: 'delete' | 'anonymise';
}

/** What still has data of the person, and until when. */
export interface Holder {
  readonly kind: 'month export' | 'backup';
  /** A file, or the address of a copy. */
  readonly place: string;
  /** Of the export: YYYY-MM. */
  readonly month: string | null;
  /** When it was made, RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; null when nothing says when it is deleted. */
  readonly until: string | null;
  readonly fix: string | null;
}

export interface EmptiedCaches {
  /** `Redis at host:6379`, or null when none is configured. */
  readonly redis: string | null;
  readonly keys: number;
}

/** Says that a person was erased, and what was verified of it. Without the id it has nothing personal. */
export interface ErasureCertificate {
  readonly kind: 'aisec user erasure';
  readonly version: 1;
  /** The id, as it was given. */
  readonly user: string;
  readonly subjectHash: string;
  readonly database: string;
  readonly schema: string;
  readonly startedAt: string;
  readonly erasedAt: string;
  readonly finishedAt: string;
  readonly shared: SharedRule;
  readonly tables: readonly ErasedTable[];
  /** Months whose partitions held messages of the person. */
  readonly months: readonly string[];
  /** How many columns were searched for the id, the username and the e-mail address. */
  readonly columnsScanned: number;
  readonly hits: readonly ScanHit[];
  readonly caches: EmptiedCaches;
  readonly holders: readonly Holder[];
  /** Whose backups are among the holders; null: there was none at that place, so that backups are not known. */
  readonly backupDirectory: string | null;
  readonly findings: readonly Finding[];
  readonly toolVersion: string;
}
