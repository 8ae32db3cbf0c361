import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import type { MonitoredNode, TenantsReport } from '../../../features/monitor/tenants.js';
import type { Renderer } from '../../terminal/output.js';
import { defineReport } from './report-command.js';

function render({ tenants }: TenantsReport, { table, isTTY }: Renderer): string {
  return table(tenants, [
    { title: 'schema', value: (row) => row.schema },
    { title: 'node', value: (row) => row.node },
    { title: 'tables', value: (row) => String(row.tables), align: 'right' },
    { title: 'total', value: (row) => sizeText(row.totalBytes, isTTY), align: 'right' },
    { title: 'move to', value: (row) => row.moveTo ?? '' },
    { title: 'sql', value: (row) => row.sql ?? '' },
  ]);
}

function nodeNote({ node, tenants, totalBytes, isActive, isReachable, takesTenants }: MonitoredNode): string {
  const size = totalBytes === null ? 'not measured' : formatBytes(totalBytes);
  const state = [
    ...(isReachable ? [] : ['the coordinator does not reach it']),
    ...(isActive ? [] : ['disabled']),
    ...(takesTenants ? [] : ['takes no tenants']),
  ];
  return [`${node}: ${countText(tenants, 'tenant')}, ${size}`, ...state].join('; ');
}

function movesText({ tenants, areMovesKnown, rebalance }: TenantsReport): string {
  if (!areMovesKnown) return 'where Citus would move them is not known while a node is away.';
  const moves = tenants.filter(({ moveTo }) => moveTo !== null).length;
  return rebalance === null ? 'Citus would move none.' : `Citus would move ${moves}: ${rebalance}`;
}

function notes(report: TenantsReport): readonly string[] {
  const { database, nodes, tenants } = report;
  return [...nodes.map(nodeNote), `${database}: ${countText(tenants.length, 'tenant')}; ${movesText(report)}`];
}

function sizeText(bytes: number | null, isTTY: boolean): string {
  if (bytes === null) return '';
  return isTTY ? formatBytes(bytes) : String(bytes);
}

export const monitorTenantsCommand = defineReport<object, TenantsReport>({
  name: 'monitor tenants',
  summary: 'show where the tenants of Citus lie, and whether they are to be moved',
  description:
    'One row a distributed schema, largest first: its node, its tables (partitions among them) and their bytes, as the node measures them. By its strategy by_disk_size Citus would move some: the node and the statement for one tenant stand in its row, the one for all below. ' +
    'The tenants of a node that is away stand without sizes, with a warning; exit 3 when no node answered. ' +
    'A move copies the tables while they are written to (wal_level = logical) and locks them for a moment.',
  options: [],
  examples: [
    ['aisec monitor tenants', 'See which node has how much'],
    ['aisec monitor tenants --json', 'The same for a program, sizes in bytes'],
  ],
  read: async (session, { config }) => {
    const { monitorTenants } = await import('../../../features/monitor/tenants.js');
    return monitorTenants(session, config.schema);
  },
  render,
  notes,
  isSkipped: ({ tenants }) => tenants.length > 0 && tenants.every(({ totalBytes }) => totalBytes === null),
});
