import type { ActivityReport, MonitoredSession } from '../../../features/monitor/activity.js';
import type { Renderer } from '../../terminal/output.js';
import type { Paint } from '../../terminal/streams.js';
import { cellsFor } from './cells.js';
import { defineReport } from './report-command.js';

interface Options {
  readonly all: boolean;
}

function stateText({ state, blockedBy }: MonitoredSession, paint: Paint): string {
  if (state === null) return '?';
  if (blockedBy.length > 0 || state.endsWith('(aborted)')) return paint.red(state);
  if (state.startsWith('idle in')) return paint.yellow(state);
  return state === 'active' ? paint.green(state) : state;
}

function render({ sessions }: ActivityReport, renderer: Renderer, { all }: Options): string {
  const { table, paint, isTTY } = renderer;
  const { duration } = cellsFor(renderer);
  const shown = all ? sessions : sessions.filter(({ state }) => state !== 'idle');
  if (shown.length === 0 && isTTY) return '';
  return table(shown, [
    { title: 'pid', value: (row) => String(row.pid), align: 'right' },
    { title: 'database', value: (row) => row.database ?? '' },
    { title: 'role', value: (row) => row.role ?? '' },
    { title: 'application', value: (row) => row.application },
    { title: 'client', value: (row) => row.client ?? '' },
    { title: 'state', value: (row) => stateText(row, paint) },
    { title: 'for', value: (row) => duration(row.stateMs), align: 'right' },
    {
      title: 'transaction',
      value: (row) => (row.transactionMs === null ? '' : duration(row.transactionMs)),
      align: 'right',
    },
    { title: 'waits', value: (row) => row.wait ?? '' },
    { title: 'blocked by', value: (row) => row.blockedBy.join(', ') },
    { title: 'query', value: (row) => row.query ?? '' },
  ]);
}

function notes({ connections, sessions }: ActivityReport, { all }: Options): readonly string[] {
  const { total, usable, active, idle, idleInTransaction, blocked } = connections;
  const hidden = all || sessions.length === 0 || idle === 0 ? '' : ' (--all shows the idle ones)';
  return [
    `${total} of ${usable} connections: ${active} active, ${idle} idle, ${idleInTransaction} idle in transaction, ${blocked} blocked${hidden}.`,
    ...(blocked > 0 ? ['Next: aisec monitor locks'] : []),
  ];
}

export const monitorActivityCommand = defineReport<Options, ActivityReport>({
  name: 'monitor activity',
  summary: 'show who is connected and what each session does',
  description:
    'The client sessions of the whole server, the oldest transaction first: state and for how long, what each waits for and who blocks it, and its query, ' +
    'without passwords. The session that looks is left out. Queries of other roles need pg_read_all_stats.',
  options: [{ flags: '--all', description: 'show idle sessions as well' }],
  examples: [
    ['aisec monitor activity --watch', 'Watch what the server is busy with'],
    ['aisec monitor activity --all --json', 'Every session for a program, times in milliseconds'],
  ],
  read: async (session, { config }) => {
    const { monitorActivity } = await import('../../../features/monitor/activity.js');
    return monitorActivity(session, config.schema);
  },
  render,
  notes,
});
