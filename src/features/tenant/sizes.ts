import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { isReachable, nodeAway, readCitus } from './citus.js';

/** True where the tables of the schema lie on a worker of Citus. One query, or none where no Citus is loaded. */
export async function isDistributed(session: Session, schema: string): Promise<boolean> {
  return (await readCitus(session, schema))?.is_distributed === true;
}

interface Measured {
  readonly host: string;
  readonly port: number;
  /** What the node said in the place of sizes. */
  readonly problem: string | null;
}

/** By what the node says now: one that is away has nothing to say of the tables. */
async function unmeasured(session: Session, { host, port, problem }: Measured): Promise<AisecError> {
  if (!(await isReachable(session, host, port))) return nodeAway(host, port, problem ?? undefined);
  return new AisecError('DATABASE_FAILED', `the node ${host}:${port} of Citus did not measure its tables: ${problem}`, {
    hint: 'Look at that node (aisec doctor --only citus).',
  });
}

/**
 * Each table as its node measures it, with the columns of `monitor/tables`. That node alone is asked: Citus' own functions of
 * sizes ask every node, and fail while any of them is away.
 *
 * @throws AisecError NODE_UNREACHABLE, DATABASE_FAILED.
 */
export async function sizesOfTenant<Row extends object>(session: Session, schema: string): Promise<readonly Row[]> {
  const { rows } = await session.query<Row & Measured>(sqlFile('tenant/table-sizes'), [schema]);
  const failed = rows.find(({ problem }) => problem !== null);
  if (failed !== undefined) throw await unmeasured(session, failed);
  return rows.map(({ host: _host, port: _port, problem: _problem, ...row }) => row as unknown as Row);
}

export interface SizeOnNode {
  /** With indexes and TOAST. */
  readonly totalBytes: number;
  readonly rows: number | null;
}

/**
 * The tables of a tenant by their names, in the place of the empty ones here. Undefined where they lie on this node.
 *
 * @throws AisecError NODE_UNREACHABLE, DATABASE_FAILED.
 */
export async function sizesOnNode(
  session: Session,
  schema: string,
): Promise<ReadonlyMap<string, SizeOnNode> | undefined> {
  if (!(await isDistributed(session, schema))) return undefined;
  const rows = await sizesOfTenant<SizeOnNode & { readonly table: string }>(session, schema);
  return new Map(rows.map((row) => [row.table, row]));
}
