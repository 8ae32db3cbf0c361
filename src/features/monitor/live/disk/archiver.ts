import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import type { LiveCheck } from '../check.js';
import { MONITOR } from '../privileges.js';
import { levelOf } from '../thresholds.js';

interface ArchiverRow {
  readonly mode: string;
  readonly has_command: boolean;
  readonly can_list: boolean;
  readonly last_failed_wal: string | null;
}

const NO_ARCHIVING = { notApplicable: 'archive_mode is off' };

async function readArchiver(session: Session): Promise<ArchiverRow | undefined> {
  const { rows } = await session.query<ArchiverRow>(sqlFile('monitor/archiver'));
  return rows[0]?.mode === 'off' ? undefined : rows[0];
}

export const ARCHIVER: LiveCheck = {
  id: 'wal-archiver',
  area: 'replication',
  severity: 'critical',
  title: 'archiving of WAL fails',
  look: async ({ session }) => {
    const archiver = await readArchiver(session);
    if (archiver === undefined) return NO_ARCHIVING;
    const { last_failed_wal: failed } = archiver;
    return {
      faults: [
        failed === null
          ? undefined
          : {
              object: 'archiver',
              severity: 'critical',
              message: `archiving WAL segment ${failed} failed, and no later attempt succeeded`,
              impact:
                'point-in-time recovery ends there, and WAL piles up until the disk is full; the error of archive_command is in the log of the server, and it is tried again as soon as it works',
              fix: null,
            },
      ],
      gauges: [
        {
          name: 'aisec_archiver_is_failing',
          help: '1 when the last attempt to archive WAL failed.',
          value: failed === null ? 0 : 1,
        },
      ],
    };
  },
};

export const WAL_WAITING: LiveCheck = {
  id: 'wal-waiting',
  area: 'replication',
  severity: 'warning',
  title: 'WAL segments that wait to be archived; critical from the first on without an archive_command',
  grant: MONITOR,
  look: async ({ session, thresholds }) => {
    const archiver = await readArchiver(session);
    if (archiver === undefined) return NO_ARCHIVING;
    if (!archiver.can_list)
      return { skipped: 'permission denied for function pg_ls_archive_statusdir', lacksGrant: true };
    const { rows } = await session.query<{ waiting: number }>(sqlFile('monitor/archive-waiting'));
    const waiting = rows[0]?.waiting ?? 0;
    // Without a command none is ever archived, and none ever fails.
    const without = archiver.has_command || waiting === 0 ? undefined : 'critical';
    const severity = without ?? levelOf(waiting, thresholds['wal-waiting']);
    return {
      faults: [
        severity && {
          object: 'archiver',
          severity,
          message: `${waiting} WAL ${waiting === 1 ? 'segment waits' : 'segments wait'} to be archived${archiver.has_command ? '' : ', and archive_command is empty'}`,
          impact:
            'they stay on the disk of the server until they are; an empty archive_command counts no failure and archives nothing: set one that works, or archive_mode = off',
          fix: null,
        },
      ],
      gauges: [
        {
          name: 'aisec_wal_waiting',
          help: 'WAL segments that wait to be archived.',
          value: waiting,
          threshold: thresholds['wal-waiting'],
        },
      ],
    };
  },
};
