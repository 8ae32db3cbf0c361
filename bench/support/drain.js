import { setTimeout as sleep } from 'node:timers/promises';

import { ms } from './figures.js';
import { fillMonth, monthName, monthStart } from './months.js';
import { connect, dropDatabase, migratedDatabase, runAisecWell } from './server.js';
import { startTraffic, writeOne } from './traffic.js';

const database = 'aisec_bench_drain';
const INSERTS = { clients: 4, perSecond: 150 };

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

/** @param {number} rows @param {readonly number[]} months @param {(client: import('pg').Client) => Promise<unknown>} drain */
async function measure(rows, months, drain) {
  await migratedDatabase(database);
  const client = await connect(database);
  for (const monthsAgo of months) await fillMonth(client, monthStart(monthsAgo).toISOString(), rows / months.length);
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
    throw new Error(`${left[0].n} rows left, ${traffic.errors.size} errors`);
  await client.end();
  await dropDatabase(database);
  return { wallMs, longestMs: Math.max(...waitsMs) };
}

/**
 * Rows of months before the current one, which migrate up has not made, wait in the default partition and are drained
 * under 150 inserts a second: by hand, and by the program as a whole. Prints how long the longest insert waited.
 *
 * @param {number} rows of all the months together
 * @param {number} monthCount
 */
export async function measureDrain(rows, monthCount) {
  const months = Array.from({ length: monthCount }, (_, position) => position + 1);
  const byHand = await measure(rows, months, async (client) => {
    for (const monthsAgo of months) await drainByHand(client, monthsAgo);
  });
  const aisec = await measure(rows, months, () => runAisecWell(database, ['partitions', 'ensure']));
  const names = monthCount === 1 ? monthName(1) : `${monthName(monthCount)} to ${monthName(1)}`;
  console.log(
    `${names}, ${rows} rows, out of the default partition: by hand ${ms(byHand.wallMs)}, longest insert ` +
      `${ms(byHand.longestMs)}; aisec ${ms(aisec.wallMs)}, longest insert ${ms(aisec.longestMs)}`,
  );
  return aisec.longestMs / byHand.longestMs;
}
