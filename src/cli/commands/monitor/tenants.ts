import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import type { TenantsReport } from '../../../features/monitor/tenants.js';
import type { Renderer } from '../../terminal/output.js';
import { defineReport } from './report-command.js';

function render({ tenants }: TenantsReport, { table, isTTY }: Renderer): string {
  return table(tenants, [
    { title: 'schema', value: (row) => row.schema },
    { title: 'node', value: (row) => row.node },
    { title: 'tables', value: (row) => String(row.tables), align: 'right' },
    { title: 'total', value: (row) => (isTTY ? formatBytes(row.totalBytes) : String(row.totalBytes)), align: 'right' },
    { title: 'move to', value: (row) => row.moveTo ?? '' },
    { title: 'sql', value: (row) => row.sql ?? '' },
  ]);
}

function notes({ database, nodes, tenants, rebalance }: TenantsReport): readonly string[] {
  const moves = tenants.filter(({ moveTo }) => moveTo !== null).length;
  return [
    ...nodes.map(
      ({ node, tenants: count, totalBytes, isActive, takesTenants }) =>
        `${node}: ${countText(count, 'tenant')}, ${formatBytes(totalBytes)}${isActive ? '' : '; disabled'}${takesTenants ? '' : '; takes no tenants'}`,
    ),
    rebalance === null
      ? `${database}: ${countText(tenants.length, 'tenant')}; Citus would move none.`
      : `${database}: ${countText(tenants.length, 'tenant')}; Citus would move ${moves}: ${rebalance}`,
  ];
}

export const monitorTenantsCommand = defineReport<object, TenantsReport>({
  name: 'monitor tenants',
  summary: 'show where the tenants of Citus lie, and whether they are to be moved',
  description:
    'One row a distributed schema, largest first: its node, its tables (partitions among them) and their bytes, as the node measures them. By its strategy by_disk_size Citus would move some: the node and the statement for one tenant stand in its row, the one for all below. ' +
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
});
