import { ms } from './figures.js';
import { conversationId, monthStart } from './months.js';

const SINGLE_ROWS = 2000;
const BULK_ROWS = 50_000;
const RUNS = 5;

/**
 * The table of messages as anybody would write it: the same months, columns and indexes and the key of the conversation,
 * but without the registry of ids, its triggers and row-level security.
 *
 * @param {import('pg').Client} client
 */
async function makePlain(client) {
  await client.query(`
    create table plain_messages (like messages including all) partition by range (created_at);
    alter table plain_messages add foreign key (conversation_id) references conversations (id) on delete cascade;
    create table plain_messages_default partition of plain_messages default;
    create table plain_messages_now partition of plain_messages
      for values from ('${monthStart(0).toISOString()}') to ('${monthStart(-1).toISOString()}')`);
}

/** One transaction a message, as a chat writes them. @param {import('pg').Client} client @param {string} table */
async function timeSingles(client, table) {
  const startedMs = performance.now();
  for (let n = 0; n < SINGLE_ROWS; n += 1)
    await client.query({
      name: `insert ${table}`,
      text: `insert into ${table} (conversation_id, role, content) values ($1, 'user', $2)`,
      values: [conversationId(n % 10), `message ${n}`],
    });
  return performance.now() - startedMs;
}

/** @param {import('pg').Client} client @param {string} table */
async function timeBulk(client, table) {
  const startedMs = performance.now();
  await client.query(
    `insert into ${table} (conversation_id, role, content)
     select $1, 'user', 'message ' || n
     from generate_series(1, ${BULK_ROWS}) n`,
    [conversationId(3)],
  );
  return performance.now() - startedMs;
}

/**
 * What the registry of ids and the policies cost a writer: messages beside the plain table, in turn, medians.
 *
 * @param {import('pg').Client} client
 * @returns {Promise<{ figure: string, value: string, target: string }[]>}
 */
export async function measureInserts(client) {
  await makePlain(client);
  const kinds = [
    { figure: `insert ${SINGLE_ROWS} messages, one transaction each`, time: timeSingles, target: 'at most 1.1' },
    { figure: `insert ${BULK_ROWS} messages, one statement`, time: timeBulk, target: 'at most 1.6' },
  ];
  const figures = [];
  for (const { figure, time, target } of kinds) {
    /** @type {[plainMs: number, oursMs: number][]} */
    const runs = [];
    for (let run = 0; run < RUNS; run += 1)
      runs.push([await time(client, 'plain_messages'), await time(client, 'messages')]);
    const [plainMs, oursMs] = runs.toSorted((a, b) => a[1] / a[0] - b[1] / b[0])[Math.floor(RUNS / 2)] ?? [1, 0];
    const value = `${ms(plainMs)} / ${ms(oursMs)} / ${(oursMs / plainMs).toFixed(2)}`;
    figures.push({ figure: `${figure}: plain table / ours / ratio`, value, target });
  }
  await client.query('drop table plain_messages');
  return figures;
}
