import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { LiveCheck, LiveFault } from './check.js';
import { MONITOR, READ_ALL_STATS } from './privileges.js';
import { levelOf, worstOf, type Thresholds } from './thresholds.js';

/** As sql/monitor/replicas.sql has it. */
export interface ReplicaRow {
  readonly name: string;
  readonly client: string | null;
  readonly isLogical: boolean;
  readonly state: string | null;
  readonly isSynchronous: boolean | null;
  readonly behindBytes: number | null;
  readonly behindMs: number | null;
}

function replicaFault(row: ReplicaRow, thresholds: Thresholds): LiveFault | undefined {
  // A base backup has no position to replay.
  if (row.behindBytes === null) return undefined;
  const [bytes, ms] = [row.behindBytes, row.behindMs ?? 0];
  const severity = worstOf(levelOf(bytes, thresholds['replica-bytes']), levelOf(ms, thresholds['replica-time']));
  if (severity === undefined) return undefined;
  const kind = row.isLogical ? 'subscriber' : 'standby';
  const where = row.client === null ? '' : ` at ${row.client}`;
  const time = ms === 0 ? '' : `, ${formatDurationMs(ms)}`;
  return {
    object: row.name,
    severity,
    message: `${kind} ${row.name}${where} is ${formatBytes(bytes)} of WAL${time} behind (${row.state ?? 'state unknown'})`,
    impact:
      row.isSynchronous === true
        ? 'commits wait for it, and a failover to it takes that much longer'
        : 'queries there see old rows, and a failover to it loses or waits for what it has not replayed',
    // What keeps a subscriber behind is in its own log.
    fix: row.isLogical ? null : `-- on standby ${row.name}:\nselect pg_wal_replay_resume() where pg_is_in_recovery();`,
  };
}

export const REPLICAS: LiveCheck = {
  id: 'replica-lag',
  area: 'replication',
  severity: 'warning',
  title: 'standbys and subscribers that are behind',
  grant: READ_ALL_STATS,
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<ReplicaRow>(sqlFile('monitor/replicas'));
    if (rows.some(({ state }) => state === null))
      return { skipped: 'the standbys and subscribers are hidden from this role', lacksGrant: true };
    const gauge = (name: string, help: string, read: (row: ReplicaRow) => number | null) =>
      rows.map((row) => ({ name, help, labels: { replica: row.name }, value: read(row) }));
    return {
      faults: rows.map((row) => replicaFault(row, thresholds)),
      gauges: [
        {
          name: 'aisec_replicas',
          help: 'Standbys and subscribers that are connected.',
          value: rows.length,
        },
        ...gauge('aisec_replica_lag_bytes', 'WAL that a replica has not replayed.', (row) => row.behindBytes),
        ...gauge(
          'aisec_replica_lag_seconds',
          'Time between a commit and its replay on a replica, as it last reported.',
          ({ behindMs }) => behindMs && behindMs / 1000,
        ),
      ],
    };
  },
};

interface StandbyRow {
  readonly is_in_recovery: boolean;
  readonly is_paused: boolean | null;
  readonly is_streaming: boolean;
  readonly has_restore_command: boolean | null;
  readonly waiting_bytes: string | null;
  readonly behind_ms: string | null;
}

function standbyFault(row: StandbyRow, thresholds: Thresholds): LiveFault | undefined {
  const waiting = Number(row.waiting_bytes ?? 0);
  const impact = 'queries here see old rows, and a failover to it loses or waits for what it has not replayed';
  if (row.is_paused === true)
    return {
      object: 'replay',
      severity: 'critical',
      message: `this standby has paused its replay, with ${formatBytes(waiting)} of WAL waiting`,
      impact,
      fix: 'select pg_wal_replay_resume() where pg_is_in_recovery();',
    };
  if (!row.is_streaming && row.has_restore_command !== true)
    return {
      object: 'receiver',
      severity: 'critical',
      message: 'this standby receives no WAL: it is not connected to its primary, and has no restore_command',
      impact: `${impact}; see primary_conninfo, the log of this server, and whether the primary runs and still has the WAL that it needs`,
      fix: null,
    };
  const severity = worstOf(
    levelOf(waiting, thresholds['replica-bytes']),
    levelOf(Number(row.behind_ms ?? 0), thresholds['replica-time']),
  );
  if (severity === undefined) return undefined;
  return {
    object: 'replay',
    severity,
    message: `this standby has received ${formatBytes(waiting)} of WAL that it has not replayed, ${formatDurationMs(Number(row.behind_ms ?? 0))} behind`,
    impact,
    fix: "select pg_terminate_backend(pid) from pg_stat_activity where pg_is_in_recovery() and backend_type = 'client backend' and xact_start < now() - interval '1 minute' and pid <> pg_backend_pid();",
  };
}

export const STANDBY: LiveCheck = {
  id: 'standby-replay',
  area: 'replication',
  severity: 'warning',
  title: 'a standby that has paused, lost its primary, or is behind',
  grant: MONITOR,
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<StandbyRow>(sqlFile('monitor/standby'));
    const [row] = rows;
    if (row?.is_in_recovery !== true) return { notApplicable: 'this server is not a standby' };
    return {
      faults: [standbyFault(row, thresholds)],
      gauges: [
        {
          name: 'aisec_standby_waiting_bytes',
          help: 'WAL that this standby has received and not replayed.',
          value: row.waiting_bytes === null ? null : Number(row.waiting_bytes),
        },
        {
          name: 'aisec_standby_lag_seconds',
          help: 'Age of the last commit replayed here; 0 when all that was received is replayed.',
          value: Number(row.behind_ms ?? 0) / 1000,
        },
      ],
    };
  },
};
