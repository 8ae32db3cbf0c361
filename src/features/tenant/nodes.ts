import type { Session } from '../../adapters/postgres/session.js';

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
  const { rows } = await session.query<CitusNode>(
    `select nodename as host, nodeport as port, isactive as is_active, shouldhaveshards as takes_tenants,
            coalesce(pg_catalog.citus_check_connection_to_node(nodename, nodeport), false) as is_reachable
     from pg_catalog.pg_dist_node
     where noderole = 'primary' and groupid <> 0
     order by nodename, nodeport`,
  );
  return rows;
}
