import path from 'node:path';

import type { Finding, Severity } from '../../../base/finding.js';

export type BackupFindingKind =
  | 'missing'
  | 'old'
  | 'stale-address'
  | 'shrunk'
  | 'damaged'
  | 'incomplete'
  | 'unreadable'
  | 'future'
  | 'not-deep'
  | 'no-drill';

/** One thing that is wrong with the backups of a database. `object` is the file's name, or that of the database. */
export interface BackupFinding extends Finding {
  readonly kind: BackupFindingKind;
  readonly database: string;
  /** Absolute; null where there is none. */
  readonly file: string | null;
}

const SEVERITY: Readonly<Record<BackupFindingKind, Severity>> = {
  missing: 'critical',
  old: 'critical',
  'no-drill': 'critical',
  'stale-address': 'warning',
  damaged: 'warning',
  incomplete: 'warning',
  unreadable: 'warning',
  shrunk: 'warning',
  future: 'warning',
  'not-deep': 'notice',
};

export function backupFinding(
  kind: BackupFindingKind,
  of: Pick<BackupFinding, 'database' | 'file'>,
  texts: Pick<Finding, 'message' | 'impact' | 'fix'>,
): BackupFinding {
  const object = of.file === null ? of.database : path.basename(of.file);
  return { id: `backup-${kind}:${object}`, kind, severity: SEVERITY[kind], object, ...of, ...texts };
}
