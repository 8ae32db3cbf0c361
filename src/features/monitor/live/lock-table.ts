import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatCount } from '../../../base/count.js';
import type { LiveCheck, LiveFault } from './check.js';
import { levelOf, scaled, type Thresholds } from './thresholds.js';

interface LockTableRow {
  readonly used: string;
  readonly capacity: string;
  readonly locks_per_transaction: number;
  readonly max_connections: number;
  readonly relations: string;
  /** The session that has most locks, and how many. */
  readonly holder_pid: number | null;
  readonly holder_locks: string | null;
}

/** Locks that PostgreSQL keeps outside of the table for each session: https://www.postgresql.org/docs/16/runtime-config-locks.html */
const FAST_PATH = 16;
/** Of the sessions: so many may query all messages at one time. */
const WANTED_SHARE = 0.25;

function usedFault(
  { used, capacity, holder_pid: pid, holder_locks: held }: LockTableRow,
  thresholds: Thresholds,
): LiveFault | undefined {
  const severity = levelOf((Number(used) / Number(capacity)) * 100, thresholds['lock-table']);
  if (severity === undefined) return undefined;
  return {
    object: 'lock table',
    severity,
    message: `${formatCount(Number(used))} of about ${formatCount(Number(capacity))} locks are taken${pid === null ? '' : `; session ${pid} has ${formatCount(Number(held))} of them`}`,
    impact: 'when it is full, any query fails with "out of shared memory"',
    fix: pid === null ? null : `select pg_terminate_backend(${pid});`,
  };
}

function monthsFault({
  relations,
  capacity,
  locks_per_transaction: now,
  max_connections: connections,
}: LockTableRow): LiveFault | undefined {
  const perQuery = Math.max(0, Number(relations) - FAST_PATH);
  const atOnce = perQuery === 0 ? Infinity : Math.floor(Number(capacity) / perQuery);
  const wanted = Math.ceil(connections * WANTED_SHARE);
  if (atOnce >= wanted) return undefined;
  const enough = Math.max(now * 2, Math.ceil((perQuery * wanted) / connections / 64) * 64);
  return {
    object: 'max_locks_per_transaction',
    severity: 'warning',
    message: `a query over all messages locks ${formatCount(Number(relations))} tables and indexes, and max_locks_per_transaction = ${now} has room for ${atOnce} such queries at a time`,
    impact:
      'with more of them at a time, any query fails with "out of shared memory"; the new value holds after a restart',
    fix: `alter system set max_locks_per_transaction = ${enough};`,
  };
}

export const LOCK_TABLE: LiveCheck = {
  id: 'lock-table',
  area: 'live',
  severity: 'warning',
  title: 'a lock table that is nearly full, or too small for queries over all months',
  look: async ({ session, schema, thresholds }) => {
    const { rows } = await session.query<LockTableRow>(sqlFile('monitor/lock-table'), [schema]);
    const [row] = rows;
    if (row === undefined) return { faults: [], gauges: [] };
    return {
      faults: [usedFault(row, thresholds), monthsFault(row)],
      gauges: [
        {
          name: 'aisec_locks',
          help: 'Locks in the lock table of the server.',
          value: Number(row.used),
          threshold: scaled(thresholds['lock-table'], Number(row.capacity) / 100),
        },
        { name: 'aisec_locks_capacity', help: 'Locks that the lock table has room for.', value: Number(row.capacity) },
        {
          name: 'aisec_messages_relations',
          help: 'Tables and indexes that a query over all messages locks.',
          value: Number(row.relations),
        },
      ],
    };
  },
};
