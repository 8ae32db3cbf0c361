import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../base/bytes.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { Check, Fault, GrantFor, Outcome, Subject } from '../check.js';
import { plainName } from '../names.js';
import { onServer } from './server-only.js';

const GIB = 1024 ** 3;
const WARNING_BYTES = GIB;
const CRITICAL_BYTES = 5 * GIB;
const WARNING_WAITING = 10;
const CRITICAL_WAITING = 50;

interface SlotRow {
  readonly name: string;
  readonly is_active: boolean;
  readonly is_lost: boolean;
  readonly retained_bytes: string | null;
  readonly has_limit: boolean;
}

interface ArchiverRow {
  readonly mode: string;
  readonly has_command: boolean;
  readonly can_list: boolean;
  readonly last_failed_wal: string | null;
}

function slotFault(slot: SlotRow): readonly Fault[] {
  const name = plainName(slot.name);
  const drop = `select pg_drop_replication_slot(${quoteLiteral(slot.name)});`;
  const retained = Number(slot.retained_bytes ?? 0);
  if (slot.is_lost)
    return [
      {
        object: name,
        what: `replication slot ${name} has lost the WAL it needs`,
        why: 'its standby or subscriber cannot go on from it and has to be made anew',
        mend: drop,
      },
    ];
  if (slot.is_active ? retained < WARNING_BYTES : slot.has_limit && retained < WARNING_BYTES) return [];
  const limit = slot.has_limit ? '' : ', without a limit (max_slot_wal_keep_size = -1)';
  return [
    {
      object: name,
      severity: retained >= CRITICAL_BYTES ? 'critical' : 'warning',
      what: `replication slot ${name} ${slot.is_active ? 'lags' : 'is used by nobody'} and keeps ${formatBytes(retained)} of WAL${limit}`,
      why: 'WAL piles up until the disk is full and the server stops',
      mend: slot.is_active
        ? "-- see what holds its reader up: select * from pg_stat_replication; alter system set max_slot_wal_keep_size = '20GB'; select pg_reload_conf();"
        : `${drop} -- unless its reader comes back`,
    },
  ];
}

async function examineSlots({ session }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<SlotRow>(sqlFile('doctor/replication-slots'));
  return rows.flatMap(slotFault);
}

async function readArchiver({ session }: Subject): Promise<ArchiverRow> {
  const { rows } = await session.query<ArchiverRow>(sqlFile('doctor/archiver'));
  return rows[0] ?? { mode: 'off', has_command: false, can_list: false, last_failed_wal: null };
}

const NO_ARCHIVING = { notApplicable: 'archive_mode is off' };

async function examineArchiver(subject: Subject): Promise<Outcome> {
  const { mode, last_failed_wal: failed } = await subject.once(readArchiver);
  if (mode === 'off') return NO_ARCHIVING;
  if (failed === null) return [];
  return [
    {
      object: 'archiver',
      what: `archiving WAL segment ${failed} failed, and no later attempt went well`,
      why: 'point-in-time recovery ends there, and WAL piles up until the disk is full',
      mend: 'show archive_command; -- mend what it runs: the log of the server has its error; the next attempt comes by itself',
    },
  ];
}

async function examineWaiting(subject: Subject): Promise<Outcome> {
  const { mode, has_command: hasCommand, can_list: canList } = await subject.once(readArchiver);
  if (mode === 'off') return NO_ARCHIVING;
  if (!canList) return { skipped: 'permission denied for function pg_ls_archive_statusdir', lacksGrant: true };
  const { rows } = await subject.session.query<{ waiting: number }>(sqlFile('doctor/archive-waiting'));
  const waiting = rows[0]?.waiting ?? 0;
  // Without a command none is ever archived, and none ever fails.
  if (waiting < (hasCommand ? WARNING_WAITING : 1)) return [];
  return [
    {
      object: 'archiver',
      severity: waiting >= CRITICAL_WAITING || !hasCommand ? 'critical' : 'warning',
      what: `${waiting} WAL ${waiting === 1 ? 'segment waits' : 'segments wait'} to be archived${hasCommand ? '' : ', and archive_command is empty'}`,
      why: 'they stay on the disk of the server until they are; an empty archive_command counts no failure and archives nothing',
      mend: 'show archive_command; -- give it one that works, then: select pg_reload_conf();',
    },
  ];
}

const MONITOR_GRANT: GrantFor = (_schema, role) => `grant pg_monitor to ${role};`;

export const REPLICATION_CHECKS: readonly Check[] = [
  {
    id: 'replication-slot',
    area: 'replication',
    severity: 'critical',
    title:
      'slots that are lost, that nobody uses while there is no limit on their WAL, or that keep more than 1 GB (critical: 5 GB)',
    grant: null,
    examine: onServer(examineSlots),
  },
  {
    id: 'wal-archiver',
    area: 'replication',
    severity: 'critical',
    title: 'archiving of WAL fails',
    grant: null,
    examine: onServer(examineArchiver),
  },
  {
    id: 'wal-waiting',
    area: 'replication',
    severity: 'warning',
    title: `${WARNING_WAITING} or more WAL segments wait to be archived; critical from ${CRITICAL_WAITING} on, and from the first on without an archive_command`,
    grant: MONITOR_GRANT,
    examine: onServer(examineWaiting),
  },
];
