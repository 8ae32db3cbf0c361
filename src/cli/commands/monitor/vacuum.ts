import { countText, listed } from '../../../base/count.js';
import { deadShare, XID_LIMIT } from '../../../features/monitor/vacuum-shares.js';
import type { MonitoredVacuum, VacuumReport } from '../../../features/monitor/vacuum.js';
import type { Renderer } from '../../terminal/output.js';
import { bloatColumns } from './bloat-columns.js';
import { cellsFor } from './cells.js';
import { defineReport } from './report-command.js';

interface Options {
  readonly bloat: boolean;
}

function render({ tables }: VacuumReport, renderer: Renderer, { bloat }: Options): string {
  const { table } = renderer;
  const cells = cellsFor(renderer);
  const { count, percent } = cells;
  return table(tables, [
    { title: 'table', value: (row) => row.identifier },
    { title: 'rows', value: (row) => count(row.liveRows), align: 'right' },
    { title: 'dead rows', value: (row) => count(row.deadRows), align: 'right' },
    { title: 'dead', value: (row) => percent(deadShare(row)), align: 'right' },
    { title: 'last vacuum', value: (row) => row.lastVacuumAt ?? '' },
    { title: 'last analyze', value: (row) => row.lastAnalyzeAt ?? '' },
    { title: 'vacuums due', value: (row) => count(row.vacuumsDue), align: 'right' },
    { title: 'analyzes due', value: (row) => count(row.analyzesDue), align: 'right' },
    { title: 'xid age', value: (row) => (row.xidAge === null ? '' : count(row.xidAge)), align: 'right' },
    ...(bloat ? bloatColumns<MonitoredVacuum>(cells) : []),
  ]);
}

function notes({ database, tables, running, countersSince }: VacuumReport): readonly string[] {
  const due = tables.reduce((sum, table) => sum + table.vacuumsDue, 0);
  const freezes = tables.reduce((sum, table) => sum + table.freezesDue, 0);
  const off = tables.filter(({ autovacuumOff }) => autovacuumOff > 0).map(({ identifier }) => identifier);
  const oldest = Math.max(0, ...tables.map(({ xidAge }) => xidAge ?? 0));
  return [
    `${database}: ${countText(due, 'table or partition is', 'tables or partitions are')} due for a vacuum${freezes === 0 ? '' : `, ${freezes} of them to be frozen`}; the oldest transaction id is at ${((oldest / XID_LIMIT) * 100).toFixed(1)} % of the limit.`,
    ...(off.length === 0
      ? []
      : [`Autovacuum is off for ${listed(off)}, which it never visits: aisec doctor --only vacuum`]),
    ...(countersSince === null ? [] : [`Rows are counted since ${countersSince}.`]),
    ...running.map(
      ({ pid, table, phase, share }) =>
        `At work: pid ${pid} on ${table}, ${phase}${share === null ? '' : `, ${Math.floor(share * 100)} % of the heap`}.`,
    ),
  ];
}

export const monitorVacuumCommand = defineReport<Options, VacuumReport>({
  name: 'monitor vacuum',
  summary: 'show dead rows, what autovacuum has to do and how old ids are',
  description:
    'One row a table, most dead rows first, partitions summed: dead rows, the last vacuum and analyze, how many of its tables autovacuum has to visit by its ' +
    'own settings, and the age of the oldest transaction id. --bloat measures free and dead space of heap and TOAST by pgstattuple_approx, which reads pages ' +
    'that are not known to be all visible; it is never guessed.',
  options: [{ flags: '--bloat', description: 'measure free and dead space, 10 s at most' }],
  examples: [
    ['aisec monitor vacuum', 'See whether autovacuum keeps up'],
    ['aisec monitor vacuum --bloat', 'Measure what a VACUUM FULL or pg_repack would give back'],
  ],
  read: async (session, { config }, { bloat }) => {
    const { monitorVacuum } = await import('../../../features/monitor/vacuum.js');
    return monitorVacuum(session, config.schema, bloat);
  },
  render,
  notes,
});
