// What `migrate adopt` takes on a database of the design document with many messages, under traffic.
//
//   npm run bench:adopt [messages]     default 2,000,000; needs psql and a PostgreSQL server with a superuser:
//                                      AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// The baseline is a plain copy of messages into a table with the same indexes, in the same database and run: what anybody
// who partitions by hand has to do at least, without traffic and without comparing.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { ms, printFigures, waits } from './support/figures.js';
import { connect, dropDatabase, machineLoad, onServer, runAisec, urlOf } from './support/server.js';
import { startTraffic } from './support/traffic.js';

const ROWS = Number(process.argv[2] ?? 2_000_000);
const CONVERSATIONS = 5000;
const database = 'aisec_bench_adopt';
const document = path.join(import.meta.dirname, '..', 'test', 'fixtures', 'design-document.sql');

async function build() {
  await onServer(`drop database if exists ${database} with (force)`);
  await onServer(`create database ${database} template template0`);
  const client = await connect(database);
  await client.query('create extension vector');
  await client.query(
    'do $$ begin create role authenticated nologin; exception when duplicate_object or unique_violation then null; end $$',
  );
  // Some statements of the document fail, as they did for its readers.
  spawnSync('psql', ['--quiet', '--file', document, urlOf(database)]);
  await client.query(`
    insert into users (username, email, password_hash)
    select 'user' || n, 'user' || n || '@example.com', 'hash' from generate_series(1, 500) n;
    insert into assistants (user_id, name) select id, username from users;
    insert into conversations (user_id, assistant_id, title)
    select user_id, id, name from assistants, generate_series(1, ${CONVERSATIONS / 500})`);
  await client.query(
    `insert into messages (conversation_id, role, content, created_at, metadata)
     select c.ids[1 + n % ${CONVERSATIONS}], (array['user', 'assistant'])[1 + n % 2],
       left(repeat(md5(n::text) || ' ', 20), 40 + (n * 7919 % 400)::int), now() - (n % 240) * interval '1 day', '{"n": 1}'
     from generate_series(1, $1::bigint) n, (select array_agg(id) as ids from conversations) c`,
    [ROWS],
  );
  await client.query('vacuum (analyze)');
  await client.query('checkpoint');
  return client;
}

/** @param {import('pg').Client} client */
async function copyByHand(client) {
  const startedMs = performance.now();
  await client.query('create table by_hand (like messages including all)');
  await client.query('insert into by_hand select * from messages');
  const wallMs = performance.now() - startedMs;
  await client.query('drop table by_hand');
  return wallMs;
}

console.error(`load before: ${machineLoad()}`);
try {
  const client = await build();
  const byHandMs = await copyByHand(client);
  const { rows } = await client.query('select array_agg(id) as ids from conversations');
  const [{ ids }] = rows;
  const traffic = await startTraffic(database, {
    clients: 4,
    perSecond: 150,
    work: async (writer, number) => {
      await writer.query(`insert into messages (conversation_id, role, content) values ($1, 'user', 'a message')`, [
        ids[number % ids.length],
      ]);
    },
  });
  const startedMs = performance.now();
  const { exitCode, stderr } = await runAisec(database, ['migrate', 'adopt', '--yes', '--max-wait', '10m']);
  const wallMs = performance.now() - startedMs;
  const waitsMs = await traffic.stop();
  if (exitCode !== 0) throw new Error(`aisec migrate adopt ended with ${exitCode}\n${stderr}`);
  const { rows: counted } = await client.query('select count(*)::int as n from messages');
  if (counted[0].n < ROWS + waitsMs.length || traffic.errors.size > 0)
    throw new Error(
      `${counted[0].n} messages after ${ROWS} and ${waitsMs.length}; errors: ${[...traffic.errors].join(' ')}`,
    );
  await client.end();
  console.log(`load after: ${machineLoad()}`);
  printFigures([
    {
      figure: `aisec migrate adopt, ${ROWS} messages, whole program`,
      value: `${ms(wallMs)}: ${Math.round(ROWS / (wallMs / 1000))} rows/s`,
      target: '40,000 rows/s',
    },
    {
      figure: 'a plain copy with the same indexes / aisec',
      value: `${ms(byHandMs)} / ${(wallMs / byHandMs).toFixed(1)}`,
    },
    { figure: 'inserts meanwhile, median / 99 % / longest', value: waits(waitsMs), target: 'none over 300 ms' },
  ]);
} finally {
  await dropDatabase(database);
}
