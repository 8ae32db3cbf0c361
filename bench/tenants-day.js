// A day of tenants, on PostgreSQL and on a cluster of Citus: users write and read all day, months are made, sizes recorded, the oldest
// months archived, everything is backed up, one tenant is lost and restored, and traffic goes on. In the end both have the same rows.
//
//   node bench/tenants-day.js [tenants] [hours] [transactions an hour and tenant]     20, 24 and 30
//
// AISEC_TEST_DATABASE_URL is the PostgreSQL, AISEC_TEST_CITUS_URL a database on a coordinator with two workers (docs/scale.md), whose
// schemas bench_day_* are dropped; pg_dump in the PATH, dist/ built. Ends with exit code 1 when rows differ.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';

import pg from 'pg';

import { createDatabase, withUser } from '../dist/index.js';
import { ms, percentile } from './support/figures.js';

const [tenants = 20, hours = 24, transactions = 30] = process.argv.slice(2).map(Number);
const AT_ONCE = 4;
const USERS = 10;
const OLD_MESSAGES = 200;
const serverUrl = process.env['AISEC_TEST_DATABASE_URL'];
const citusUrl = process.env['AISEC_TEST_CITUS_URL'];
if (serverUrl === undefined || citusUrl === undefined)
  throw new Error('set AISEC_TEST_DATABASE_URL and AISEC_TEST_CITUS_URL');
const aisec = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
const names = Array.from({ length: tenants }, (_, number) => `bench_day_${number + 1}`);
const lost = names[Math.floor(tenants / 3)] ?? '';
const all = names.join(',');

/** @param {number} tenant @param {number} number */
const idOf = (tenant, number) =>
  `${String(tenant).padStart(8, '0')}-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** @param {string} url @param {string} directory @param {readonly string[]} args */
async function run(url, directory, ...args) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [aisec, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      DATABASE_URL: url,
      AISEC_BACKUP_DIR: path.join(directory, 'backups'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stderr += text));
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  if (exitCode !== 0)
    throw new Error(`aisec ${args.join(' ').slice(0, 80)} ended with ${exitCode}\n${stdout}${stderr}`);
  return { stdout, wallMs: performance.now() - startedMs };
}

/** @param {readonly string[]} items @param {(item: string) => Promise<void>} work */
async function several(items, work) {
  const left = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
    }),
  );
}

/** @param {pg.Client} admin */
async function fill(admin) {
  for (const [tenant, name] of names.entries()) {
    await admin.query(`set search_path = ${name}, public`);
    for (let user = 1; user <= USERS; user += 1) {
      await admin.query('insert into users (id, username, email, password_hash) values ($1, $2, $3, $4)', [
        idOf(tenant, user),
        `user ${user}`,
        `user.${user}@example.com`,
        `$2b$12$${'a'.repeat(53)}`,
      ]);
      await admin.query('insert into conversations (id, user_id, title) values ($1, $2, $3)', [
        idOf(tenant, 100 + user),
        idOf(tenant, user),
        'of the day',
      ]);
    }
    await admin.query(
      `insert into messages (conversation_id, role, content, created_at)
       select $1, 'user', 'an old message ' || n, date_trunc('month', now()) - interval '8 months' + n * interval '1 hour'
       from generate_series(1, ${OLD_MESSAGES}) n`,
      [idOf(tenant, 101)],
    );
  }
}

/**
 * An hour of one tenant: a question and its answer in one transaction, then the last twenty messages, as a service works.
 *
 * @param {import('kysely').Kysely<any>} db @param {number} tenant @param {{ writes: number[], reads: number[] }} waits
 */
async function liveAnHour(db, tenant, waits) {
  for (let number = 0; number < transactions; number += 1) {
    const user = 1 + (number % USERS);
    const [id, conversation_id] = [idOf(tenant, user), idOf(tenant, 100 + user)];
    let startedMs = performance.now();
    await withUser(db, id, async (trx) => {
      const question = await trx
        .insertInto('messages')
        .values({ conversation_id, role: 'user', content: 'a question '.repeat(20) })
        .returning('id')
        .executeTakeFirstOrThrow();
      await trx
        .insertInto('messages')
        .values({ conversation_id, role: 'assistant', content: 'an answer '.repeat(60), parent_id: question.id })
        .execute();
    });
    waits.writes.push(performance.now() - startedMs);
    startedMs = performance.now();
    const seen = await withUser(db, id, (trx) =>
      trx
        .selectFrom('messages')
        .selectAll()
        .where('conversation_id', '=', conversation_id)
        .orderBy('created_at', 'desc')
        .limit(20)
        .execute(),
    );
    waits.reads.push(performance.now() - startedMs);
    if (seen.length === 0) throw new Error('a user does not see what was just written');
  }
}

/** @param {pg.Client} admin @param {string} schema @returns {Promise<Record<string, number>>} */
async function countsOf(admin, schema) {
  const { rows } = await admin.query(
    `select relname as name from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition order by relname`,
    [schema],
  );
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { name } of rows)
    counts[name] = Number((await admin.query(`select count(*) from ${schema}.${name}`)).rows[0].count);
  return counts;
}

/** @param {string} url @param {boolean} isCluster */
async function day(url, isCluster) {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query("set client_min_messages = 'error'");
  /** @type {Map<string, number>} */
  const times = new Map();
  /** @param {string} figure @param {readonly string[]} args */
  const timed = async (figure, ...args) => {
    const { wallMs, stdout } = await run(url, directory, ...args);
    times.set(figure, (times.get(figure) ?? 0) + wallMs);
    return stdout;
  };
  const waits = { writes: /** @type {number[]} */ ([]), reads: /** @type {number[]} */ ([]) };
  /** @param {number} rounds */
  const traffic = async (rounds) => {
    for (let hour = 0; hour < rounds; hour += 1) {
      await several(names, async (name) => {
        const db = pools.get(name);
        if (db !== undefined) await liveAnHour(db, names.indexOf(name), waits);
      });
      if (hour % 6 === 5) {
        await timed('monitor record, four times', 'monitor', 'record', '--every', '1m', '--schema', all, '--quiet');
        await timed('monitor tables, four times', 'monitor', 'tables', '--schema', all, '--quiet');
      }
    }
  };
  /** @type {Map<string, import('kysely').Kysely<any>>} */
  const pools = new Map();
  try {
    await timed('migrate up', 'migrate', 'up', '--schema', all, '--jobs', '2', '--quiet');
    // Of the whole server, and needed on a cluster alone.
    if (isCluster) await admin.query('alter role authenticated login');
    const since = (await admin.query("select to_char(now() - interval '8 months', 'YYYY-MM') as since")).rows[0].since;
    await timed(
      'partitions ensure',
      'partitions',
      'ensure',
      '--since',
      since,
      '--ahead',
      '4',
      '--schema',
      all,
      '--quiet',
    );
    await fill(admin);
    for (const name of names) pools.set(name, createDatabase({ url, schema: name, poolSize: 1, maxOverflow: 0 }));
    await traffic(hours);
    await timed('archive', 'archive', '--older-than', '6mo', '--schema', all, '--quiet');
    const { file } = JSON.parse(await timed('backup', 'backup', '--json', '--schema', names[0] ?? ''));
    const before = await countsOf(admin, lost);
    await pools.get(lost)?.destroy();
    await admin.query(`alter schema ${lost} rename to ${lost}_lost`);
    await timed('tenant restore, one', 'tenant', 'restore', file, '--schema', lost, '--quiet');
    if (JSON.stringify(await countsOf(admin, lost)) !== JSON.stringify(before))
      throw new Error('the restored tenant has other rows');
    await admin.query(`drop schema ${lost}_lost cascade`);
    pools.set(lost, createDatabase({ url, schema: lost, poolSize: 1, maxOverflow: 0 }));
    await traffic(1);
    await timed('partitions check --keys', 'partitions', 'check', '--keys', '--schema', all, '--quiet');
    await timed(
      'doctor',
      'doctor',
      '--only',
      'partitions,archive,security,migrations,integrity',
      '--schema',
      all,
      '--quiet',
    );
    /** @type {Record<string, Record<string, number>>} */
    const counts = {};
    for (const name of names) {
      const { size_records: _, size_record_tables: __, ...rows } = await countsOf(admin, name);
      counts[name] = rows;
    }
    return { times, waits, counts };
  } finally {
    await Promise.all([...pools.values()].map((db) => db.destroy().catch(() => undefined)));
    for (const name of [...names, `${lost}_lost`]) await admin.query(`drop schema if exists ${name} cascade`);
    await admin.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

const database = `aisec_bench_day_${process.pid}`;
const server = new pg.Client({ connectionString: serverUrl });
await server.connect();
await server.query(`create database ${database} template template0`);
try {
  const plain = await day(Object.assign(new URL(serverUrl), { pathname: `/${database}` }).toString(), false);
  const spread = await day(citusUrl, true);
  console.log(`${tenants} tenants, ${hours} hours, ${transactions} transactions an hour and tenant`);
  console.log('figure\tPostgreSQL\tCitus\tratio');
  for (const [figure, plainMs] of plain.times) {
    const spreadMs = spread.times.get(figure) ?? Number.NaN;
    console.log([figure, ms(plainMs), ms(spreadMs), (spreadMs / plainMs).toFixed(2)].join('\t'));
  }
  for (const kind of /** @type {const} */ (['writes', 'reads']))
    for (const share of [0.5, 0.99]) {
      const [one, other] = [percentile(plain.waits[kind], share), percentile(spread.waits[kind], share)];
      console.log([`${kind}, ${share * 100} %`, ms(one), ms(other), (other / one).toFixed(2)].join('\t'));
    }
  const [first = {}] = Object.values(spread.counts);
  const isSame = JSON.stringify(plain.counts) === JSON.stringify(spread.counts);
  console.log(isSame ? `the same rows in both, in each tenant: ${JSON.stringify(first)}` : 'OTHER ROWS');
  if (!isSame) {
    for (const name of names)
      if (JSON.stringify(plain.counts[name]) !== JSON.stringify(spread.counts[name]))
        console.log(name, plain.counts[name], spread.counts[name]);
    process.exitCode = 1;
  }
} finally {
  await server.query(`drop database if exists ${database} with (force)`);
  await server.end();
}
