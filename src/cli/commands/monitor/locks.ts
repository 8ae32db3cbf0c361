import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { LockNode } from '../../../features/monitor/lock-tree.js';
import type { LocksReport } from '../../../features/monitor/locks.js';
import type { Renderer } from '../../terminal/output.js';
import { cellsFor } from './cells.js';
import { defineReport } from './report-command.js';

function blockersText({ blockedBy, blockedByPrepared }: LockNode): string {
  return [...blockedBy.map(String), ...blockedByPrepared.map((name) => `prepared "${name}"`)].join(', ');
}

function render({ sessions }: LocksReport, renderer: Renderer): string {
  const { table, paint, isTTY } = renderer;
  const { duration } = cellsFor(renderer);
  if (sessions.length === 0) return '';
  const branch = ({ depth, pid }: LockNode): string =>
    isTTY ? `${'  '.repeat(depth)}${depth === 0 ? '' : '└ '}${pid}` : String(pid);
  return table(sessions, [
    { title: 'pid', value: (row) => (isTTY && row.depth === 0 ? paint.red(branch(row)) : branch(row)) },
    ...(isTTY ? [] : [{ title: 'depth', value: (row: LockNode) => String(row.depth) }]),
    { title: 'blocked by', value: blockersText },
    { title: 'waits', value: (row) => (row.waitingMs === null ? '' : duration(row.waitingMs)), align: 'right' },
    { title: 'for', value: (row) => row.lock ?? '' },
    { title: 'role', value: (row) => row.role ?? '' },
    { title: 'application', value: (row) => row.application ?? '' },
    { title: 'state', value: (row) => row.state ?? '?' },
    { title: 'transaction', value: (row) => duration(row.transactionMs), align: 'right' },
    { title: 'query', value: (row) => row.query ?? '' },
  ]);
}

function notes({ database, waiting, sessions, preparedTransactions }: LocksReport): readonly string[] {
  return [
    `${database}: ${waiting === 0 ? 'no session waits' : `${countText(waiting, 'session waits', 'sessions wait')}`} for a lock.`,
    ...sessions.flatMap(({ pid, release }) =>
      release === null ? [] : [`pid ${pid} blocks others. To end it: ${release}`],
    ),
    ...preparedTransactions.map(
      ({ name, database: where, owner, ageMs }) =>
        `Prepared transaction "${name}" of ${owner} in ${where} keeps its locks for ${formatDurationMs(ageMs)}: commit prepared or rollback prepared ends it.`,
    ),
  ];
}

export const monitorLocksCommand = defineReport<object, LocksReport>({
  name: 'monitor locks',
  summary: 'show who waits for a lock and who is at the root of it',
  description:
    'The blocking tree: first the sessions that block others and wait for none, below each the sessions that wait for it, with what they wait for and for how long. Also names ' +
    'prepared transactions. It ends no session; the SQL that would is shown.',
  options: [],
  examples: [
    ['aisec monitor locks', 'See who stands in the way'],
    ['aisec monitor locks --watch 1s', 'Watch a migration or an ALTER TABLE get through'],
  ],
  read: async (session, { config }) => {
    const { monitorLocks } = await import('../../../features/monitor/locks.js');
    return monitorLocks(session, config.schema);
  },
  render,
  notes,
});
