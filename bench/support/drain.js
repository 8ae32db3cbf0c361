import { setTimeout as sleep } from 'node:timers/promises';

import { ms } from './figures.js';
import { fillMonth, monthStart } from './months.js';
import { connect, dropDatabase, migratedDatabase, runAisecWell } from './server.js';
import { startTraffic, writeOne } from './traffic.js';

const database = 'aisec_bench_drain';
const INSERTS = { clients: 4, perSecond: 150 };

/**
 * What fills the default partition: months by how long ago they are, and whether rows of archived months are among them.
 *
 * @typedef {object} Filling
 * @property {string} title
 * @property {readonly number[]} months
 * @property {readonly number[]} archived months in the archive, with half of the rows
 */

/** @type {readonly Filling[]} */
export const FILLINGS = [
  { title: 'one month', months: [1], archived: [] },
  { title: 'three months', months: [1, 2, 3], archived: [] },
  { title: 'late rows of two archived months and one missing month', months: [1], archived: [8, 9] },
  { title: '60 months of history', months: Array.from({ length: 60 }, (_, position) => position + 1), archived: [] },
];

/** What one does by hand so that nothing is lost: lock, copy, delete, attach. @param {import('pg').Client} client @param {number} monthsAgo */
async function drainByHand(client, monthsAgo) {
  const [from, to] = [monthStart(monthsAgo).toISOString(), monthStart(monthsAgo - 1).toISOString()];
  await client.query(`
    begin;
    set local aisec.moving_messages to on;
    lock table messages in access exclusive mode;
    lock table conversations, message_keys in share row exclusive mode;
    create table by_hand_${monthsAgo} (like messages including all);
    insert into by_hand_${monthsAgo} select * from messages_default where created_at >= '${from}' and created_at < '${to}';
    delete from messages_default where created_at >= '${from}' and created_at < '${to}';
    alter table messages attach partition by_hand_${monthsAgo} for values from ('${from}') to ('${to}');
    commit`);
}

/** @param {import('pg').Client} client @param {number} rows @param {Filling} filling */
async function fill(client, rows, { months, archived }) {
  for (const monthsAgo of archived) {
    await client.query('select ensure_message_partitions(0, $1)', [monthStart(monthsAgo).toISOString().slice(0, 10)]);
    await client.query(`select archive_old_messages('7 months')`);
  }
  // Months that archiving has made between the archived ones and now.
  for (const monthsAgo of months) {
    const { rows: found } = await client.query(
      `select format('drop table %s', partition) as statement from aisec_message_partition_bounds() where lower_bound = $1 and parent = 'messages'::regclass`,
      [monthStart(monthsAgo).toISOString()],
    );
    for (const { statement } of found) await client.query(statement);
  }
  const share = Math.floor(rows / (months.length + archived.length));
  for (const monthsAgo of [...archived, ...months]) await fillMonth(client, monthStart(monthsAgo).toISOString(), share);
}

/** @param {number} rows @param {Filling} filling @param {(client: import('pg').Client) => Promise<unknown>} drain */
async function measure(rows, filling, drain) {
  await migratedDatabase(database);
  const client = await connect(database);
  await fill(client, rows, filling);
  const traffic = await startTraffic(database, { ...INSERTS, work: writeOne() });
  await sleep(1500);
  traffic.takeWaits();
  const startedMs = performance.now();
  await drain(client);
  const wallMs = performance.now() - startedMs;
  await sleep(200);
  const waitsMs = await traffic.stop();
  const { rows: left } = await client.query('select count(*)::int as n from messages_default');
  if (left[0].n !== 0 || traffic.errors.size > 0)
    throw new Error(`${left[0].n} rows left, ${traffic.errors.size} errors: ${[...traffic.errors].join('; ')}`);
  await client.end();
  await dropDatabase(database);
  return { wallMs, longestMs: Math.max(...waitsMs) };
}

/**
 * Rows of months that have no partition, and of archived ones, wait in the default partition and are drained under 150 inserts
 * a second: by hand, and by the program as a whole. Prints how long the longest insert waited, and rows a second.
 *
 * @param {number} rows of all the months together
 * @param {Filling} filling
 */
export async function measureDrain(rows, filling) {
  // By hand, late rows stay: there is no statement for them that one would write.
  const byHand =
    filling.archived.length > 0
      ? undefined
      : await measure(rows, filling, async (client) => {
          for (const monthsAgo of filling.months) await drainByHand(client, monthsAgo);
        });
  const aisec = await measure(rows, filling, () => runAisecWell(database, ['partitions', 'ensure']));
  const rate = Math.round(rows / (aisec.wallMs / 1000));
  console.log(
    `${filling.title}, ${rows} rows: ` +
      (byHand === undefined ? '' : `by hand ${ms(byHand.wallMs)}, longest insert ${ms(byHand.longestMs)}; `) +
      `aisec ${ms(aisec.wallMs)} (${rate} rows/s), longest insert ${ms(aisec.longestMs)}`,
  );
  return {
    longestMs: aisec.longestMs,
    rate,
    ratio: byHand === undefined ? undefined : aisec.longestMs / byHand.longestMs,
  };
}
