import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { readCitus } from './citus.js';

/** True where the tables of the schema lie on a worker of Citus. One query, or none where no Citus is loaded. */
export async function isDistributed(session: Session, schema: string): Promise<boolean> {
  return (await readCitus(session, schema))?.is_distributed === true;
}

/** The same query with the sizes of the shards in the place of those of the empty tables here. */
export function sizesOfShards(sql: string): string {
  return sql.replaceAll('pg_catalog.pg_total_relation_size(', 'pg_catalog.citus_total_relation_size(');
}

/** Each table as its node measures it, with the columns of `monitor/tables`. @throws AisecError DATABASE_FAILED. */
export async function sizesOfTenant<Row extends object>(session: Session, schema: string): Promise<readonly Row[]> {
  const { rows } = await session.query<Row & { readonly problem: string | null }>(sqlFile('tenant/table-sizes'), [
    schema,
  ]);
  const failed = rows.find(({ problem }) => problem !== null);
  if (failed === undefined) return rows;
  throw new AisecError('DATABASE_FAILED', `a worker of Citus did not measure its tables: ${failed.problem ?? ''}`, {
    hint: 'Look at the worker; select * from citus_check_cluster_node_health() asks all of them.',
  });
}
