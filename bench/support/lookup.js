import { percentile } from './figures.js';
import { fillMonth, monthName, monthStart } from './months.js';
import { connect, dropDatabase, migratedDatabase, runAisecWell } from './server.js';

const MONTHS = 60;
const ROWS_A_MONTH = 500;
const ROUNDS = 400;

/**
 * One message by its id where 60 months are, half of them archived: by find_message, and by all_messages with the id
 * alone. Times are those of a client that does not prepare its statements, medians; partitions are those a statement
 * locks.
 *
 * @param {string} database is made and dropped
 */
export async function measureLookup(database) {
  await migratedDatabase(database);
  await runAisecWell(database, ['partitions', 'ensure', '--since', monthName(MONTHS - 1), '--ahead', '0']);
  const client = await connect(database);
  try {
    for (let month = 0; month < MONTHS; month += 1)
      await fillMonth(client, monthStart(month).toISOString(), ROWS_A_MONTH);
    await runAisecWell(database, ['archive', '--older-than', `${MONTHS / 2}mo`]);
    const { rows } = await client.query(`select id from all_messages order by md5(id::text) limit ${ROUNDS}`);
    const ids = rows.map(({ id }) => /** @type {string} */ (id));
    const byKey = 'select * from find_message($1)';
    const byId = 'select * from all_messages where id = $1';
    return {
      partitions: MONTHS,
      byKey: await measureStatement(client, byKey, ids),
      byId: await measureStatement(client, byId, ids.slice(0, ROUNDS / 10)),
    };
  } finally {
    await client.end();
    await dropDatabase(database);
  }
}

/** @param {import('pg').Client} client @param {string} text @param {readonly string[]} ids */
async function measureStatement(client, text, ids) {
  const timesMs = [];
  for (const id of ids) {
    const startedMs = performance.now();
    const { rowCount } = await client.query(text, [id]);
    timesMs.push(performance.now() - startedMs);
    if (rowCount !== 1) throw new Error(`${text} found ${rowCount} rows`);
  }
  let mostPartitions = 0;
  for (const id of ids.slice(0, 40)) {
    await client.query('begin');
    await client.query(text, [id]);
    const { rows } = await client.query(
      `select count(*)::int as locked from pg_locks l join pg_class c on c.oid = l.relation
       where l.pid = pg_backend_pid() and c.relispartition and c.relkind = 'r'`,
    );
    await client.query('commit');
    mostPartitions = Math.max(mostPartitions, rows[0].locked);
  }
  return { medianMs: percentile(timesMs, 0.5), mostPartitions };
}
