/**
 * WAL written while the callback runs: by the whole server (other databases included), and by the statements of this
 * database as pg_stat_statements counts them (null where it is not loaded; commit records are not in it).
 *
 * @template Result
 * @param {import('pg').Client} client
 * @param {() => Promise<Result>} run
 */
export async function measureWal(client, run) {
  const hasStatements = await client
    .query('create extension if not exists pg_stat_statements')
    .then(() => true)
    .catch(() => false);
  const ofStatements = async () => {
    if (!hasStatements) return null;
    const { rows } = await client.query(
      `select coalesce(sum(wal_bytes), 0)::float8 as bytes from pg_stat_statements
       where dbid = (select oid from pg_database where datname = current_database())`,
    );
    return /** @type {number} */ (rows[0].bytes);
  };
  const ofServer = async () =>
    String((await client.query('select pg_current_wal_insert_lsn()::text as lsn')).rows[0].lsn);
  const [statementsBefore, lsnBefore] = [await ofStatements(), await ofServer()];
  const result = await run();
  const { rows } = await client.query('select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8 as bytes', [
    lsnBefore,
  ]);
  const statementsAfter = await ofStatements();
  return {
    result,
    serverBytes: /** @type {number} */ (rows[0].bytes),
    statementBytes: statementsBefore === null || statementsAfter === null ? null : statementsAfter - statementsBefore,
  };
}
