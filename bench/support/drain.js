import { setTimeout as sleep } from 'node:timers/promises';

import { ms } from './figures.js';
import { fillMonth, monthName, monthStart } from './months.js';
import { connect, dropDatabase, migratedDatabase, runAisecWell } from './server.js';
import { startTraffic, writeOne } from './traffic.js';

const database = 'aisec_bench_drain';
/** A month before the current one: migrate up has not made it. */
const MONTHS_AGO = 1;
const INSERTS = { clients: 4, perSecond: 150 };

/** What one does by hand so that nothing is lost: lock, copy, delete, attach. @param {import('pg').Client} client */
async function drainByHand(client) {
  const [from, to] = [monthStart(MONTHS_AGO).toISOString(), monthStart(MONTHS_AGO - 1).toISOString()];
  await client.query(`
    begin;
    set local aisec.moving_messages to on;
    lock table conversations, message_keys in share row exclusive mode;
    lock table messages in access exclusive mode;
    create table by_hand (like messages including all);
    insert into by_hand select * from messages_default where created_at >= '${from}' and created_at < '${to}';
    delete from messages_default where created_at >= '${from}' and created_at < '${to}';
    alter table messages attach partition by_hand for values from ('${from}') to ('${to}');
    commit`);
}

/** @param {number} rows @param {(client: import('pg').Client) => Promise<unknown>} drain */
async function measure(rows, drain) {
  await migratedDatabase(database);
  const client = await connect(database);
  await fillMonth(client, monthStart(MONTHS_AGO).toISOString(), rows);
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
 * A month of rows that waits in the default partition, drained under 150 inserts a second: by hand, and by the program as
 * a whole. Prints how long the longest insert waited.
 *
 * @param {number} rows
 */
export async function measureDrain(rows) {
  const byHand = await measure(rows, drainByHand);
  const aisec = await measure(rows, () => runAisecWell(database, ['partitions', 'ensure']));
  console.log(
    `${monthName(MONTHS_AGO)}, ${rows} rows, out of the default partition: by hand ${ms(byHand.wallMs)}, longest insert ` +
      `${ms(byHand.longestMs)}; aisec ${ms(aisec.wallMs)}, longest insert ${ms(aisec.longestMs)}`,
  );
  return { byHand, aisec };
}
