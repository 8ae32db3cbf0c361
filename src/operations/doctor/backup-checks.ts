import { existsSync } from 'node:fs';

import { checkBackups, type BackupCheck } from '../backup/checks.js';
import type { Check, Outcome, Subject } from './check.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A backup a day, which may take two hours longer than the last one. */
const MAX_AGE_MS = 26 * HOUR_MS;
/** A restore to try it a month. */
const MAX_DEEP_AGE_MS = 31 * DAY_MS;
const LEAST_SHARE = 0.8;

type Kind = BackupCheck['findings'][number]['kind'];

async function readBackups({ session, backupFolder }: Subject): Promise<BackupCheck['findings']> {
  const { databaseName } = session.info;
  const { findings } = await checkBackups(backupFolder, {
    maxAgeMs: MAX_AGE_MS,
    maxDeepAgeMs: MAX_DEEP_AGE_MS,
    minSize: { shareOfMedian: LEAST_SHARE },
    expected: [databaseName],
  });
  return findings.filter(({ database }) => database === databaseName);
}

async function examineKinds(subject: Subject, kinds: readonly Kind[]): Promise<Outcome> {
  const { session, backupFolder } = subject;
  if (session.info.kind === 'embedded') return { notApplicable: 'aisec backup works on servers' };
  if (!existsSync(backupFolder))
    return {
      skipped: `there is no folder ${backupFolder} here; set AISEC_BACKUP_DIR to where the backups are, or run doctor there`,
      lacksGrant: false,
    };
  return (await subject.once(readBackups))
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, file, what, why, mend }) => ({ object: file ?? kind, what, why, mend }));
}

export const BACKUP_CHECKS: readonly Check[] = [
  {
    id: 'backup-age',
    area: 'backups',
    severity: 'critical',
    title: 'a database without a verified backup of the last 26 hours',
    grant: null,
    examine: (subject) => examineKinds(subject, ['missing', 'old']),
  },
  {
    id: 'backup-broken',
    area: 'backups',
    severity: 'warning',
    title: 'backups that are damaged, incomplete, much smaller than the ones before or dated later than now',
    grant: null,
    examine: (subject) => examineKinds(subject, ['damaged', 'incomplete', 'shrunk', 'future']),
  },
  {
    id: 'backup-restore',
    area: 'backups',
    severity: 'notice',
    title: 'backups none of which was restored within a month to try it',
    grant: null,
    examine: (subject) => examineKinds(subject, ['not-deep']),
  },
];
