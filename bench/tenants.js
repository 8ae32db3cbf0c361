// A schema for each tenant: `migrate up` over many against psql with as many sessions, and `migrate status` over them.
//
//   node bench/tenants.js [tenants] [status tenants]     200 and 1000; AISEC_TEST_DATABASE_URL, psql in the PATH, dist/ built
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { measure } from './measure.js';

const [tenants = 200, statusTenants = 1000] = process.argv.slice(2).map(Number);
const JOBS = 2;
const aisec = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
const serverUrl = process.env['AISEC_TEST_DATABASE_URL'];
if (serverUrl === undefined) throw new Error('set AISEC_TEST_DATABASE_URL');
const database = `aisec_bench_tenants_${process.pid}`;
const url = Object.assign(new URL(serverUrl), { pathname: `/${database}` }).toString();
const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const server = new pg.Client({ connectionString: serverUrl });
await server.connect();

/** @param {readonly string[]} args */
const run = (...args) => measure('node', [aisec, ...args], { DATABASE_URL: url });
/** @param {number} from @param {number} count */
const names = (from, count) => Array.from({ length: count }, (_, number) => `tenant_${from + number}`);

/** The script of aisec itself: what is measured is the way to the server, not the SQL. */
function scriptOf() {
  const made = spawnSync('node', [aisec, 'migrate', 'up', '--sql', '--schema', 'tenant_0'], {
    encoding: 'utf8',
    maxBuffer: 1e8,
    env: { PATH: process.env['PATH'], HOME: directory },
  });
  if (made.status !== 0) throw new Error(made.stderr);
  return (
    made.stdout
      // One script at a time is what it is for, and here there are two.
      .replaceAll('pg_try_advisory_lock(', 'pg_try_advisory_lock_shared(')
      .replaceAll('pg_advisory_unlock(', 'pg_advisory_unlock_shared(')
      // Two sessions that change the row of the database at once: an error, which psql does not try again.
      .replace("execute format('revoke temporary on database %I from public', current_database());", 'null;')
  );
}

/** @param {readonly string[]} schemas */
function writeScripts(schemas) {
  const script = scriptOf();
  return Array.from({ length: JOBS }, (_, job) => {
    const file = path.join(directory, `job-${job}.sql`);
    const own = schemas.filter((_name, position) => position % JOBS === job);
    writeFileSync(file, own.map((name) => script.replaceAll('tenant_0', name)).join('\n'));
    return file;
  });
}

/** @param {readonly string[]} files */
function psql(files) {
  const each = files.map((file) => `psql -X -q -v ON_ERROR_STOP=1 -d '${url}' -f '${file}' & pids+=($!)`).join('\n');
  return measure('bash', ['-c', `pids=()\n${each}\nfor pid in "\${pids[@]}"; do wait "$pid" || exit 1; done`]);
}

try {
  await server.query(`create database ${database} template template0`);
  // The extensions, and the caches of the system, are there for both.
  run('migrate', 'up', '--schema', 'tenant_0');
  const half = Math.ceil(tenants / 2);
  /** @type {Record<'ours' | 'theirs', { wallMs: number, cpuMs: number }>[]} */
  const rounds = [];
  // In two halves each, by turns: a slow moment of the machine hits both.
  for (const [round, count] of [half, tenants - half].entries()) {
    const from = 1 + round * 10_000;
    const ours = run('migrate', 'up', '--schema', names(from, count).join(','), '--jobs', String(JOBS), '--quiet');
    const files = writeScripts(names(from + 5000, count));
    rounds.push({ ours, theirs: psql(files) });
  }
  /** @param {'ours' | 'theirs'} who @param {'wallMs' | 'cpuMs'} what */
  const sum = (who, what) => rounds.reduce((total, round) => total + round[who][what], 0);
  const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`;
  console.log(
    `migrate up, ${tenants} schemas, --jobs ${JOBS}: ${seconds(sum('ours', 'wallMs'))}; psql, ${JOBS} sessions: ${seconds(sum('theirs', 'wallMs'))}; ratio ${(sum('ours', 'wallMs') / sum('theirs', 'wallMs')).toFixed(2)}`,
  );
  console.log(`CPU of the client: aisec ${seconds(sum('ours', 'cpuMs'))}, psql ${seconds(sum('theirs', 'cpuMs'))}`);

  // History alone: what status reads. A thousand whole schemas would take half an hour to make.
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const name of names(50_000, statusTenants))
    await client.query(`create schema status_${name};
      create table status_${name}.pgmigrations (like tenant_0.pgmigrations including all);
      create table status_${name}.aisec_migrations (like tenant_0.aisec_migrations including all);
      insert into status_${name}.pgmigrations select * from tenant_0.pgmigrations;
      insert into status_${name}.aisec_migrations select * from tenant_0.aisec_migrations;`);
  await client.end();
  const status = run('migrate', 'status', '--schema', 'status_*', '--quiet');
  const alone = run('migrate', 'status', '--schema', 'tenant_0', '--quiet');
  console.log(
    `migrate status, ${statusTenants} schemas: ${seconds(status.wallMs)} (CPU ${seconds(status.cpuMs)}); one: ${seconds(alone.wallMs)} (CPU ${seconds(alone.cpuMs)})`,
  );
} finally {
  await server.query(`drop database if exists ${database} with (force)`);
  await server.end();
  rmSync(directory, { recursive: true, force: true });
}
