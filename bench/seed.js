// Speed of `aisec seed demo` against psql's \copy of the same rows into the same tables, and its peak memory.
//
//   node bench/seed.js [messages]    default 200,000; needs Linux, psql, and a PostgreSQL server:
//                                    AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// AISEC_BENCH_ROUNDS (default 3): one is enough for 2,000,000 messages.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { copyChunks } from '../dist/adapters/postgres/copy.js';
import { demoTables } from '../dist/features/seed/demo/demo-tables.js';
import { copyInput } from '../dist/features/seed/demo/table.js';
import { defaultConversations } from '../dist/features/seed/demo/options.js';
import { planDemo } from '../dist/features/seed/demo/plan.js';
import { measure, median } from './measure.js';

const LEAST_RATIO = 0.6;
const MOST_MEMORY_MB = 300;

const ROUNDS = Number(process.env['AISEC_BENCH_ROUNDS'] ?? 3);
const messages = Number(process.argv[2] ?? 200_000);
const aisec = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
const serverUrl = process.env['AISEC_TEST_DATABASE_URL'];
if (serverUrl === undefined)
  throw new Error('set AISEC_TEST_DATABASE_URL, for example by: eval "$(test/support/services up)"');

const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const server = new pg.Client({ connectionString: serverUrl });
await server.connect();
const [template, database] = ['aisec_bench_seed_template', 'aisec_bench_seed'];
const urlOf = (/** @type {string} */ name) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).toString();

/** @type {import('../dist/features/seed/demo/options.js').DemoOptions} */
const options = {
  users: 50,
  conversations: defaultConversations(messages),
  messages,
  embeddings: 1000,
  months: 6,
  seed: 'bench',
  locale: 'ja',
  until: new Date().toISOString().slice(0, 10),
};

/** @param {string} name */
async function dropDatabase(name) {
  await server.query(`drop database if exists ${name} with (force)`);
}

/** A migrated database with the months the rows fall into. */
async function createTemplate() {
  await dropDatabase(template);
  await server.query(`create database ${template} template template0`);
  measure(process.execPath, [aisec, 'migrate', 'up'], { DATABASE_URL: urlOf(template) });
  const client = new pg.Client({ connectionString: urlOf(template) });
  await client.connect();
  await client.query(`select from ensure_message_partitions(from_month => (now() - interval '7 months')::date)`);
  await client.end();
}

async function freshDatabase() {
  await dropDatabase(database);
  await server.query(`create database ${database} template ${template}`);
  await server.query('checkpoint');
}

/** Writes the rows to one file a table, and returns the psql script that loads them in one transaction. */
async function writeFiles() {
  const commands = [];
  for (const demo of demoTables(planDemo(options), 'not a hash')) {
    const { table } = demo;
    const { columns, rows } = copyInput(demo);
    const file = path.join(directory, `${table}.copy`);
    const stream = createWriteStream(file);
    for (const { bytes } of copyChunks(rows)) if (!stream.write(bytes)) await once(stream, 'drain');
    stream.end();
    await once(stream, 'finish');
    commands.push(`\\copy ${table} (${columns.join(', ')}) from '${file}'`);
  }
  const script = path.join(directory, 'load.sql');
  writeFileSync(script, `begin;\n${commands.join('\n')}\ncommit;\n`);
  return script;
}

async function runAisec() {
  const counts = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [aisec, 'seed', 'demo', '--json', '--quiet', ...counts], {
    env: { PATH: process.env['PATH'], DATABASE_URL: urlOf(database) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [json, peakKb] = ['', 0];
  child.stdout.setEncoding('utf8').on('data', (text) => (json += text));
  // VmHWM: the most memory that the process ever had (proc_pid_status(5)); gone when it has ended.
  const timer = setInterval(() => {
    try {
      const [, kb = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      peakKb = Math.max(peakKb, Number(kb));
    } catch {
      // Ended between two looks.
    }
  }, 50);
  const [exitCode] = await once(child, 'close');
  clearInterval(timer);
  if (exitCode !== 0) throw new Error(`aisec seed demo ended with ${exitCode}`);
  const { rows, durationMs } = JSON.parse(json);
  return { rows, durationMs, peakMb: peakKb / 1024 };
}

function runPsql(/** @type {string} */ script) {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(
    'psql',
    ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', urlOf(database), '-f', script],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`psql failed:\n${stderr}`);
  return performance.now() - startedMs;
}

try {
  await createTemplate();
  const script = await writeFiles();
  let rows = 0;
  /** @type {{ aisec: number[], psql: number[], peakMb: number[] }} */
  const seen = { aisec: [], psql: [], peakMb: [] };
  // In turn, so that a slow moment of the machine hits both.
  for (let round = 0; round < ROUNDS; round += 1) {
    await freshDatabase();
    const run = await runAisec();
    await freshDatabase();
    seen.psql.push(runPsql(script));
    seen.aisec.push(run.durationMs);
    seen.peakMb.push(run.peakMb);
    rows = run.rows;
  }
  const [psqlMs, aisecMs, peakMb] = [median(seen.psql), median(seen.aisec), Math.max(...seen.peakMb)];
  const size = messages === 0 ? 0 : Math.round(statSync(path.join(directory, 'messages.copy')).size / messages);
  const rate = (/** @type {number} */ durationMs) => Math.round((rows / durationMs) * 1000);
  console.log(`${rows} rows, ${messages} of them messages of ${size} bytes; medians of ${ROUNDS}`);
  console.log(`psql \\copy from files   ${rate(psqlMs)} rows/s (${Math.round(psqlMs)} ms)`);
  console.log(`aisec seed demo         ${rate(aisecMs)} rows/s (${Math.round(aisecMs)} ms)`);
  console.log(`ratio                   ${(psqlMs / aisecMs).toFixed(2)}   (target at least ${LEAST_RATIO})`);
  console.log(`peak memory of aisec    ${Math.round(peakMb)} MB   (target under ${MOST_MEMORY_MB} MB)`);
} finally {
  await dropDatabase(database);
  await dropDatabase(template);
  await server.end();
  rmSync(directory, { recursive: true, force: true });
}
