import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';

export interface CitusNode {
  readonly host: string;
  readonly port: number;
  readonly is_active: boolean;
  readonly takes_tenants: boolean;
  /** The coordinator reached it just now. */
  readonly is_reachable: boolean;
}

/** One that is silent is waited for so long; Citus itself would wait 30 s. */
const CONNECT_WITHIN_MS = 2000;

/** The nodes beside the coordinator. */
export async function readNodes(session: Session): Promise<readonly CitusNode[]> {
  await session.query('select pg_catalog.set_config($1, $2, false)', [
    'citus.node_connection_timeout',
    String(CONNECT_WITHIN_MS),
  ]);
  return (await session.query<CitusNode>(sqlFile('tenant/nodes'))).rows;
}
