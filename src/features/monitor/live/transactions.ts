import { countText } from '../../../base/count.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatDurationMs } from '../../../base/duration.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { PreparedTransaction } from '../locks.js';
import type { LiveCheck, LiveFault } from './check.js';
import { inDatabase, whose } from './names.js';
import { READ_ALL_STATS, skipUnlessAllIsSeen } from './privileges.js';
import { levelOf, scaled, worstOf, type Thresholds } from './thresholds.js';

interface TransactionRow {
  readonly pid: number;
  readonly database: string;
  readonly role: string | null;
  readonly application: string;
  readonly isIdle: boolean;
  readonly transactionMs: number;
  readonly idleMs: number | null;
}

/** More than these are reported as a number: a pool that hangs hangs with all its sessions. */
const MOST_TOLD = 5;

function grouped(found: readonly (LiveFault | undefined)[], noun: string): readonly LiveFault[] {
  const faults = found.filter((fault) => fault !== undefined);
  const [first] = faults.slice(MOST_TOLD);
  if (first === undefined) return faults;
  const others = faults.slice(MOST_TOLD);
  return [
    ...faults.slice(0, MOST_TOLD),
    {
      ...first,
      object: 'others',
      severity: others.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning',
      message: `${countText(others.length, noun)} more; the oldest of them: ${first.message}`,
      fix: others.map(({ fix }) => fix ?? '').join('\n'),
    },
  ];
}

function transactionFault(row: TransactionRow, thresholds: Thresholds): LiveFault | undefined {
  const { transactionMs, idleMs } = row;
  const severity = worstOf(
    levelOf(transactionMs, thresholds.transaction),
    idleMs === null ? undefined : levelOf(idleMs, thresholds['idle-transaction']),
  );
  if (severity === undefined) return undefined;
  const idle = idleMs === null ? '' : `, idle for ${formatDurationMs(idleMs)}`;
  return {
    object: `pid ${row.pid}`,
    severity,
    message: `session ${row.pid}${whose(row)} has been in a transaction of database ${row.database} for ${formatDurationMs(transactionMs)}${idle}`,
    impact: 'its locks stay held, and vacuum keeps every row that died since it began',
    fix: row.isIdle ? `select pg_terminate_backend(${row.pid});` : `select pg_cancel_backend(${row.pid});`,
  };
}

export const LONG_TRANSACTIONS: LiveCheck = {
  id: 'transaction-long',
  area: 'live',
  severity: 'warning',
  title: 'sessions that are in a transaction for too long, or idle in one',
  grant: READ_ALL_STATS,
  look: async ({ session, thresholds }) => {
    const skip = await skipUnlessAllIsSeen(session, 'the transactions');
    if (skip !== undefined) return skip;
    const { rows } = await session.query<TransactionRow>(sqlFile('monitor/open-transactions'));
    const longest = (values: readonly (number | null)[]): number =>
      Math.max(0, ...values.map((value) => value ?? 0)) / 1000;
    return {
      faults: grouped(
        rows.map((row) => transactionFault(row, thresholds)),
        'session',
      ),
      gauges: [
        {
          name: 'aisec_longest_transaction_seconds',
          help: 'Age of the oldest transaction of a session of the server; 0 when none is open.',
          value: longest(rows.map((row) => row.transactionMs)),
          threshold: scaled(thresholds.transaction, 0.001),
        },
        {
          name: 'aisec_longest_idle_transaction_seconds',
          help: 'How long the session that is idle in a transaction for longest has been idle; 0 when none is.',
          value: longest(rows.map((row) => row.idleMs)),
          threshold: scaled(thresholds['idle-transaction'], 0.001),
        },
      ],
    };
  },
};

function preparedFault(
  { name, database, owner, ageMs, isHere }: PreparedTransaction,
  thresholds: Thresholds,
): LiveFault | undefined {
  const severity = levelOf(ageMs, thresholds['prepared-transaction']);
  if (severity === undefined) return undefined;
  return {
    object: name,
    severity,
    message: `prepared transaction ${name} of ${owner} in database ${database} has been neither committed nor rolled back for ${formatDurationMs(ageMs)}`,
    impact: 'its locks stay held and vacuum is held back, also after a restart, until it is ended by hand',
    fix: inDatabase(database, isHere, `rollback prepared ${quoteLiteral(name)};`),
  };
}

export const PREPARED_TRANSACTIONS: LiveCheck = {
  id: 'transaction-prepared',
  area: 'live',
  severity: 'warning',
  title: 'prepared transactions that were left over',
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<PreparedTransaction>(sqlFile('monitor/prepared-transactions'));
    return {
      faults: grouped(
        rows.map((row) => preparedFault(row, thresholds)),
        'prepared transaction',
      ),
      gauges: [
        {
          name: 'aisec_prepared_transactions',
          help: 'Prepared transactions of the server that were neither committed nor rolled back.',
          value: rows.length,
        },
        {
          name: 'aisec_oldest_prepared_transaction_seconds',
          help: 'Age of the oldest prepared transaction; 0 when there is none.',
          value: (rows[0]?.ageMs ?? 0) / 1000,
          threshold: scaled(thresholds['prepared-transaction'], 0.001),
        },
      ],
    };
  },
};
