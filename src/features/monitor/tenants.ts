import { withRollback, type Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { readCitus, refuseWithoutCitus } from '../tenant/index.js';
import { readReportHeader } from './inspection/report-header.js';
import type { Report } from './report.js';

export interface MonitoredTenant {
  readonly schema: string;
  /** `host:port`. */
  readonly node: string;
  /** With indexes and TOAST, as the node measures them. */
  readonly totalBytes: number;
  /** Partitions among them. */
  readonly tables: number;
  /** The node that Citus would move it to; null: it stays. */
  readonly moveTo: string | null;
  /** The statement that moves it there; null: it stays. */
  readonly sql: string | null;
}

export interface MonitoredNode {
  /** `host:port`. */
  readonly node: string;
  readonly isActive: boolean;
  readonly takesTenants: boolean;
  readonly tenants: number;
  readonly totalBytes: number;
}

export interface TenantsReport extends Report {
  /** Largest first. */
  readonly tenants: readonly MonitoredTenant[];
  /** Beside the coordinator. */
  readonly nodes: readonly MonitoredNode[];
  /** The statement that makes all moves; null: no tenant is to be moved. */
  readonly rebalance: string | null;
}

interface TenantRow {
  readonly schema: string;
  readonly host: string;
  readonly port: number;
  readonly bytes: string;
  readonly tables: number;
  readonly to_host: string | null;
  readonly to_port: number | null;
}

interface NodeRow {
  readonly node: string;
  readonly is_active: boolean;
  readonly takes_tenants: boolean;
}

const REBALANCE = 'select citus_rebalance_start();';

function moveSql({ schema, to_host: host, to_port: port }: TenantRow): string | null {
  if (host === null) return null;
  return `select citus_schema_move(${quoteLiteral(quoteIdentifier(schema))}, ${quoteLiteral(host)}, ${port});`;
}

/** Without the notices of Citus about each move that it would not make. */
async function readTenants(session: Session): Promise<readonly TenantRow[]> {
  return withRollback(session, async () => {
    await session.query('set local client_min_messages = error');
    return (await session.query<TenantRow>(sqlFile('tenant/tenants'))).rows;
  });
}

/**
 * Where the tenants of Citus lie, how large they are there, and which of them Citus would move by its own strategy.
 *
 * @throws AisecError CONFIG_INVALID where there is no Citus, and on a worker.
 */
export async function monitorTenants(session: Session, schema: string): Promise<TenantsReport> {
  refuseWithoutCitus(await readCitus(session, schema), session.info.label);
  const header = await readReportHeader(session, schema);
  const { rows: nodes } = await session.query<NodeRow>(
    `select nodename || ':' || nodeport as node, isactive as is_active, shouldhaveshards as takes_tenants
     from pg_catalog.pg_dist_node
     where noderole = 'primary' and groupid <> 0
     order by nodename, nodeport`,
  );
  const tenants = (await readTenants(session)).map((row): MonitoredTenant => ({
    schema: row.schema,
    node: `${row.host}:${row.port}`,
    totalBytes: Number(row.bytes),
    tables: row.tables,
    moveTo: row.to_host === null ? null : `${row.to_host}:${row.to_port}`,
    sql: moveSql(row),
  }));
  return {
    ...header,
    skipped: [],
    tenants,
    nodes: nodes.map(({ node, is_active: isActive, takes_tenants: takesTenants }) => {
      const own = tenants.filter((tenant) => tenant.node === node);
      const totalBytes = own.reduce((sum, tenant) => sum + tenant.totalBytes, 0);
      return { node, isActive, takesTenants, tenants: own.length, totalBytes };
    }),
    rebalance: tenants.some(({ sql }) => sql !== null) ? REBALANCE : null,
  };
}
