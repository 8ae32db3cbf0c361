import { existsSync } from 'node:fs';
import { basename } from 'node:path';

import { isAisecError } from '../../../base/errors.js';
import { shellWord } from '../../../base/package/aisec-command.js';
import { DAY_MS } from '../../../base/duration.js';
import {
  BACKUP_DUE_AFTER_MS,
  checkBackups,
  readWalArchive,
  type BackupCheck,
  type WalArchive,
} from '../../backup/checks.js';
import type { Check, Fault, Outcome, Subject } from '../check.js';

/** A restore to try it a month. */
const MAX_DEEP_AGE_MS = 31 * DAY_MS;
const LEAST_SHARE = 0.8;

async function readBackups({ session, backupDirectory }: Subject): Promise<BackupCheck['findings']> {
  const { databaseName } = session.info;
  const { findings } = await checkBackups({
    directory: backupDirectory,
    maxAgeMs: BACKUP_DUE_AFTER_MS,
    maxDeepAgeMs: MAX_DEEP_AGE_MS,
    minSize: { shareOfMedian: LEAST_SHARE },
    expected: [databaseName],
  });
  return findings.filter(({ database }) => database === databaseName);
}

/** A database whose WAL another program archives is not without protection; whether a base backup is there only that program knows. */
function ofOtherProgram(fault: Fault, { program, state, archivedAt, listCommand }: WalArchive): Fault {
  const { message, impact } = fault;
  if (state === 'failing' || state === 'nothing yet')
    return {
      ...fault,
      message: `${message}; ${program} is set up, and ${state === 'failing' ? 'archiving WAL fails' : 'no WAL was archived yet'}`,
    };
  const since = archivedAt === null ? 'streams WAL' : `archived WAL at ${archivedAt.toISOString()}`;
  return {
    ...fault,
    severity: 'notice',
    message: `${message}; ${program} ${since}`,
    impact: `a recovery needs a base backup of ${program}, too, which cannot be seen from here. Without it, ${impact}`,
    fix: listCommand,
  };
}

async function examineBackups(subject: Subject): Promise<Outcome> {
  const outcome = await examineDirectory(subject);
  if ('notApplicable' in outcome || 'skipped' in outcome || !outcome.some(isMissing)) return outcome;
  const archive = await readWalArchive(subject.session);
  if (archive === undefined) return outcome;
  return outcome.map((fault) => (isMissing(fault) ? ofOtherProgram(fault, archive) : fault));
}

function isMissing({ object }: Fault): boolean {
  return object === 'missing';
}

async function examineDirectory(subject: Subject): Promise<Exclude<Outcome, Fault>> {
  const { session, backupDirectory } = subject;
  if (session.info.kind === 'embedded')
    return {
      notApplicable: 'no daily backup is expected of the embedded database; aisec backup check looks at what there is',
    };
  if (!existsSync(backupDirectory))
    return [
      {
        object: 'missing',
        message: `no backup of "${session.info.databaseName}" is known here: there is no directory ${backupDirectory}`,
        impact:
          'data that the server loses cannot be restored; if something else backs it up, set AISEC_BACKUP_DIR to where the backups are, or ignore this finding with that reason',
        fix: `aisec backup --dir ${shellWord(backupDirectory)}`,
      },
    ];
  let findings: BackupCheck['findings'];
  try {
    findings = await readBackups(subject);
  } catch (error) {
    if (!isAisecError(error, 'BACKUP_DIRECTORY', 'CONFIG_INVALID')) throw error;
    return [
      {
        object: 'unreadable',
        message: error.message,
        impact:
          `whether there is a good backup is not known, and the next one may not be written. ${error.detail ?? ''}`.trimEnd(),
        fix: null,
      },
    ];
  }
  return findings.map(({ kind, file, severity, message, impact, fix }) => ({
    object: file === null ? kind : `${kind}/${basename(file)}`,
    severity,
    message,
    impact,
    fix,
  }));
}

export const BACKUP_CHECKS: readonly Check[] = [
  {
    id: 'backup-state',
    area: 'backups',
    severity: 'critical',
    title:
      'no verified backup of the last 26 hours; backups that are damaged, incomplete, much smaller than before or dated in the future; none restored within a month to try it',
    examine: examineBackups,
  },
];
