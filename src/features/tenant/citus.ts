import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError, nodeUnreachable } from '../../base/errors.js';

/** What Citus knows of a schema. */
export interface CitusFacts {
  readonly version: string;
  readonly is_coordinator: boolean;
  /** Its tables lie on a worker; those that the catalog of this node has are empty. */
  readonly is_distributed: boolean;
  readonly is_there: boolean;
  /** It was made to be distributed, and is not yet. */
  readonly is_awaited: boolean;
  readonly has_relations: boolean;
  readonly distributes_new: boolean;
  readonly workers: number;
  /** Null: there is no role authenticated yet. */
  readonly role_logs_in: boolean | null;
}

/** Undefined where the database has no Citus: then nothing is asked. */
export async function readCitus(session: Session, schema: string): Promise<CitusFacts | undefined> {
  if (session.info.runsCitus !== true) return undefined;
  // The library may be loaded for another database of the server.
  const { rows: extensions } = await session.query(
    "select from pg_catalog.pg_extension where extname = 'citus' and pg_catalog.to_regclass('pg_catalog.pg_dist_schema') is not null",
  );
  if (extensions.length === 0) return undefined;
  const { rows } = await session.query<CitusFacts>(sqlFile('tenant/citus'), [schema]);
  return rows[0];
}

/** On the nodes Citus logs in as the role that a query runs as, also after SET ROLE. */
export const LOGIN_FOR_NODES = 'alter role authenticated login;';

/** Where a tenant lies: `host:port`; null on this node. */
export async function nodeOf(session: Session, schema: string): Promise<string | null> {
  const { rows } = await session.query<{ readonly node: string }>(sqlFile('tenant/node'), [schema]);
  return rows[0]?.node ?? null;
}

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

async function shortenWait(session: Session): Promise<void> {
  await session.query('select pg_catalog.set_config($1, $2, false)', [
    'citus.node_connection_timeout',
    String(CONNECT_WITHIN_MS),
  ]);
}

/** Whether the coordinator reaches a node now. */
export async function isReachable(session: Session, host: string, port: number): Promise<boolean> {
  await shortenWait(session);
  const { rows } = await session.query<{ is_reachable: boolean | null }>(
    'select pg_catalog.citus_check_connection_to_node($1, $2) as is_reachable',
    [host, port],
  );
  return rows[0]?.is_reachable === true;
}

export function nodeAway(host: string, port: number, detail?: string): AisecError {
  return nodeUnreachable(`the coordinator does not reach the node ${host}:${port} of Citus`, { detail });
}

/** The nodes beside the coordinator. */
export async function readNodes(session: Session): Promise<readonly CitusNode[]> {
  await shortenWait(session);
  const { rows } = await session.query<CitusNode>(
    `select nodename as host, nodeport as port, isactive as is_active, shouldhaveshards as takes_tenants,
            coalesce(pg_catalog.citus_check_connection_to_node(nodename, nodeport), false) as is_reachable
     from pg_catalog.pg_dist_node
     where noderole = 'primary' and groupid <> 0
     order by nodename, nodeport`,
  );
  return rows;
}

/** @throws AisecError CONFIG_INVALID where there is no Citus, and on a worker. */
export function refuseWithoutCitus(citus: CitusFacts | undefined, label: string): asserts citus is CitusFacts {
  if (citus === undefined)
    throw new AisecError('CONFIG_INVALID', `${label} has no extension citus`, {
      hint: 'This command is for a cluster of Citus, whose schemas lie on several servers. See docs/scale.md.',
    });
  if (!citus.is_coordinator)
    throw new AisecError('CONFIG_INVALID', `${label} is a worker of Citus`, {
      hint: 'Give the address of the coordinator.',
    });
}

/** @throws AisecError CONFIG_INVALID for a schema that cannot lie on a worker: it is missing, or `public`. */
export function refuseSchema({ is_there: isThere }: CitusFacts, schema: string): void {
  if (!isThere)
    throw new AisecError('CONFIG_INVALID', `there is no schema "${schema}"`, {
      hint: 'Correct --schema; aisec monitor tenants lists the schemas that Citus has distributed.',
    });
  if (schema === 'public')
    throw new AisecError('CONFIG_INVALID', 'Citus does not distribute the schema public', {
      hint: 'Give the schema of a tenant: --schema NAME. See docs/scale.md.',
    });
}
