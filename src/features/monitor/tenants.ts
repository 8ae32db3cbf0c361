import { withRollback, type Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { countText, listed } from '../../base/count.js';
import { isAisecError } from '../../base/errors.js';
import type { Finding } from '../../base/finding.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { readCitus, readNodes, refuseWithoutCitus, type CitusNode } from '../tenant/index.js';
import { readReportHeader } from './inspection/report-header.js';
import { notSeen } from './inspection/skip.js';
import type { Report } from './report.js';

export interface MonitoredTenant {
  readonly schema: string;
  /** `host:port`. */
  readonly node: string;
  /** With indexes and TOAST, as the node measures them; null: it was not reached, as `skipped` says. */
  readonly totalBytes: number | null;
  /** Partitions among them. */
  readonly tables: number;
  /** The node that Citus would move it to; null: it stays, or that is not known. */
  readonly moveTo: string | null;
  /** The statement that moves it there; null as `moveTo`. */
  readonly sql: string | null;
}

export interface MonitoredNode {
  /** `host:port`. */
  readonly node: string;
  readonly isActive: boolean;
  /** The coordinator reached it just now. */
  readonly isReachable: boolean;
  readonly takesTenants: boolean;
  readonly tenants: number;
  /** Null: they were not measured. */
  readonly totalBytes: number | null;
}

export interface TenantsReport extends Report {
  /** Largest first. */
  readonly tenants: readonly MonitoredTenant[];
  /** Beside the coordinator. */
  readonly nodes: readonly MonitoredNode[];
  /** False while a node does not answer: Citus plans moves by the sizes on all of them. */
  readonly areMovesKnown: boolean;
  /** The statement that makes all moves; null: no tenant is to be moved, or that is not known. */
  readonly rebalance: string | null;
}

interface TenantRow {
  readonly schema: string;
  readonly host: string;
  readonly port: number;
  readonly tables: number;
  readonly bytes: string | null;
  readonly problem: string | null;
}

interface MoveRow {
  readonly schema: string;
  readonly to_host: string;
  readonly to_port: number;
}

const REBALANCE = 'select citus_rebalance_start();';

const addressOf = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;

function moveSql({ schema, to_host: host, to_port: port }: MoveRow): string {
  return `select citus_schema_move(${quoteLiteral(quoteIdentifier(schema))}, ${quoteLiteral(host)}, ${port});`;
}

/** Undefined where a node does not answer: Citus asks all of them for sizes. */
async function readMoves(session: Session): Promise<readonly MoveRow[] | undefined> {
  try {
    return await withRollback(session, async () => {
      // Without the notices of Citus about each move that it would not make.
      await session.query('set local client_min_messages = error');
      return (await session.query<MoveRow>(sqlFile('tenant/moves'))).rows;
    });
  } catch (error) {
    if (isAisecError(error, 'NODE_UNREACHABLE')) return undefined;
    throw error;
  }
}

/** One for each node whose tenants were not measured. */
function unmeasured(rows: readonly TenantRow[]): readonly Finding[] {
  const silent = rows.filter(({ bytes }) => bytes === null);
  return [...new Set(silent.map(addressOf))].map((node) => {
    const own = silent.filter((row) => addressOf(row) === node);
    const problem = own[0]?.problem ?? 'the coordinator does not reach it';
    const tenants = `${countText(own.length, 'tenant')} there: ${listed(own.map(({ schema }) => schema))}`;
    return notSeen(`node ${node}`, `${problem}; not measured: ${tenants}`, null);
  });
}

function monitoredNode(
  { is_active: isActive, takes_tenants: takesTenants, ...node }: CitusNode,
  rows: readonly TenantRow[],
): MonitoredNode {
  const own = rows.filter((row) => addressOf(row) === addressOf(node));
  const isMeasured = node.is_reachable && own.every(({ bytes }) => bytes !== null);
  return {
    node: addressOf(node),
    isActive,
    isReachable: node.is_reachable,
    takesTenants,
    tenants: own.length,
    totalBytes: isMeasured ? own.reduce((sum, { bytes }) => sum + Number(bytes), 0) : null,
  };
}

/**
 * Where the tenants of Citus lie, how large they are there, and which of them Citus would move by its own strategy. Each node
 * is asked for its own tenants: those of one that is away are shown without sizes.
 *
 * @throws AisecError CONFIG_INVALID where there is no Citus, and on a worker.
 */
export async function monitorTenants(session: Session, schema: string): Promise<TenantsReport> {
  refuseWithoutCitus(await readCitus(session, schema), session.info.label);
  const header = await readReportHeader(session, schema);
  const nodes = await readNodes(session);
  const away = nodes.filter((node) => !node.is_reachable);
  const { rows } = await session.query<TenantRow>(sqlFile('tenant/tenants'), [away.map(addressOf)]);
  const silent = unmeasured(rows);
  const isAnswered = silent.length === 0 && !away.some((node) => node.is_active);
  const moves = isAnswered ? await readMoves(session) : undefined;
  return {
    ...header,
    skipped: [
      ...silent,
      ...(moves === undefined
        ? [notSeen('moves', 'Citus plans them by the sizes on all nodes, and not every node answers', null)]
        : []),
    ],
    tenants: rows.map((row): MonitoredTenant => {
      const move = moves?.find((each) => each.schema === row.schema);
      return {
        schema: row.schema,
        node: addressOf(row),
        totalBytes: row.bytes === null ? null : Number(row.bytes),
        tables: row.tables,
        moveTo: move === undefined ? null : `${move.to_host}:${move.to_port}`,
        sql: move === undefined ? null : moveSql(move),
      };
    }),
    nodes: nodes.map((node) => monitoredNode(node, rows)),
    areMovesKnown: moves !== undefined,
    rebalance: moves !== undefined && moves.length > 0 ? REBALANCE : null,
  };
}
