// How long a look takes while a server is in trouble: 2,000 tables, 1,000 sessions, a chain of locks 20 deep and ACCESS
// EXCLUSIVE on messages. The baseline is psql with one question to pg_stat_activity on the same server in the same run.
//
//   npm run bench:trouble        starts a PostgreSQL of its own; needs root and what test/support/services installs
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { startPrivateCluster } from '../test/support/private-cluster.js';
import { measure, medians, printRatio } from './measure.js';

const ROUNDS = Number(process.env['AISEC_BENCH_ROUNDS'] ?? 5);
const TABLES = 2000;
const SESSIONS = 1000;
const CHAIN = 20;
const TARGET_MS = 2000;
const aisec = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');

const cluster = await startPrivateCluster({
  max_connections: String(SESSIONS + 50),
  fsync: 'off',
  shared_buffers: '256MB',
});
// Nothing of this project's settings is to be read.
const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
/** @type {pg.Client[]} */
const clients = [];

async function connect() {
  const client = new pg.Client({ connectionString: cluster.url, application_name: 'a service' });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

/** Statements that wait for ever, until their session ends. @param {pg.Client} client @param {string} statement */
function hang(client, statement) {
  client.query(statement).catch(() => undefined);
}

try {
  const env = { DATABASE_URL: cluster.url, NO_COLOR: '1' };
  measure(process.execPath, [aisec, 'migrate', 'up'], env);
  const admin = await connect();
  for (let first = 0; first < TABLES; first += 500)
    await admin.query(`do $$ begin
      for n in ${first}..${first + 499} loop
        execute format('create table own_%s (id bigint primary key, note text)', n);
      end loop;
    end $$`);
  await admin.query('analyze');
  for (let opened = 0; opened < SESSIONS - CHAIN - 1; opened += 50)
    await Promise.all(Array.from({ length: Math.min(50, SESSIONS - CHAIN - 1 - opened) }, connect));
  // Each holds a table of its own and waits for that of the one before.
  const root = await connect();
  await root.query('begin; lock table messages in access exclusive mode; lock table own_0');
  for (let link = 1; link < CHAIN; link += 1) {
    const client = await connect();
    await client.query(`begin; lock table own_${link}`);
    hang(client, `lock table own_${link - 1}`);
  }
  const { rows } = await admin.query(
    `select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as sessions,
            (select count(*)::int from pg_locks where not granted) as waiting`,
  );
  console.log(`${TABLES} own tables, ${rows[0].sessions} sessions, ${rows[0].waiting} of them wait in one chain`);

  /** @param {readonly string[]} args */
  const ours = (args) =>
    measure('bash', ['-c', '"$@" >/dev/null 2>&1 || [ $? -le 3 ]', 'bash', process.execPath, aisec, ...args], env);
  process.chdir(directory);
  const runs = medians(ROUNDS, {
    psql: () =>
      measure('psql', ['-X', '-q', '-d', cluster.url, '-c', 'select state, count(*) from pg_stat_activity group by 1']),
    aisec: () => ours([]),
    monitor: () => ours(['monitor']),
    doctor: () => ours(['doctor']),
    locks: () => ours(['monitor', 'locks']),
    export: () => ours(['monitor', 'export', '--format', 'prometheus']),
  });
  for (const [name, { wallMs, cpuMs }] of Object.entries(runs))
    console.log(
      `${name.padEnd(10)} ${wallMs.toFixed(0).padStart(6)} ms wall, ${cpuMs.toFixed(0).padStart(6)} ms CPU of the client`,
    );
  printRatio(
    'aisec monitor / psql with one question, wall',
    runs.monitor.wallMs / runs.psql.wallMs,
    TARGET_MS / runs.psql.wallMs,
  );
  printRatio(
    'aisec doctor / psql with one question, wall',
    runs.doctor.wallMs / runs.psql.wallMs,
    TARGET_MS / runs.psql.wallMs,
  );
} finally {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  await cluster.remove();
  rmSync(directory, { recursive: true, force: true });
}
