// Speed of the program itself and of `migrate`, as ratios against a baseline measured in the same run.
//
//   npm run bench:migrate [PART ...]   of help, up, own, replay, status; needs a PostgreSQL server: AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { measure, median, medians, printRatio } from './measure.js';
import { machineLoad } from './support/server.js';

const ROUNDS = Number(process.env['AISEC_BENCH_ROUNDS'] ?? 15);
/** @param {string} part */
const isWanted = (part) => process.argv.length < 3 || process.argv.includes(part);
const root = path.join(import.meta.dirname, '..');
const aisec = path.join(root, 'bin', 'aisec.js');
const nodePgMigrate = path.join(root, 'node_modules', 'node-pg-migrate', 'bin', 'node-pg-migrate.js');
const serverUrl = process.env['AISEC_TEST_DATABASE_URL'];
if (serverUrl === undefined)
  throw new Error('set AISEC_TEST_DATABASE_URL, for example by: eval "$(test/support/services up)"');

const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const server = new pg.Client({ connectionString: serverUrl });
await server.connect();
const database = 'aisec_bench';
const url = Object.assign(new URL(serverUrl), { pathname: `/${database}` }).toString();

async function freshDatabase() {
  await server.query(`drop database if exists ${database} with (force)`);
  await server.query(`create database ${database} template template0`);
}

/**
 * The Up sections of a directory as one file for psql.
 *
 * @param {string} migrations
 * @param {string} ending what `migrate up` does after the last one
 */
function writeSqlFile(migrations, ending) {
  const sections = readdirSync(migrations)
    .toSorted()
    .map((file) => readFileSync(path.join(migrations, file), 'utf8').split(/^-- (?:Up|Down) Migration$/m)[1] ?? '');
  const file = path.join(directory, 'all.sql');
  writeFileSync(file, `${sections.join('\n')}\n${ending}\n`);
  return file;
}

/** The bundled migrations but those without a transaction, which node-pg-migrate cannot run from an .sql file. */
function copyTransactionalMigrations() {
  const from = path.join(root, 'migrations');
  const into = path.join(directory, 'bundled');
  mkdirSync(into);
  for (const file of readdirSync(from)) {
    const text = readFileSync(path.join(from, file), 'utf8');
    if (!text.includes('-- aisec: no-transaction')) writeFileSync(path.join(into, file), text);
  }
  return into;
}

/**
 * A table, an index, a check and a view each: little SQL, so that the program's own time shows.
 *
 * @param {number} count
 */
function writeSmallMigrations(count) {
  const small = path.join(directory, `small-${count}`);
  mkdirSync(small);
  for (let number = 1; number <= count; number += 1) {
    const name = `t${number}`;
    const text = `-- Up Migration
create table ${name} (id bigint generated always as identity primary key, note text, constraint ${name}_note check (note <> ''));
create index ${name}_note_idx on ${name} (note);
create view ${name}_view as select id from ${name};

-- Down Migration
drop view ${name}_view;
drop table ${name};
`;
    writeFileSync(path.join(small, `${String(number).padStart(4, '0')}_${name}.sql`), text);
  }
  return small;
}

/**
 * @param {string} title
 * @param {string} migrations the directory
 * @param {string} ending
 */
async function compareUp(title, migrations, ending) {
  const sqlFile = writeSqlFile(migrations, ending);
  const ways = {
    psql: () => measure('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', sqlFile]),
    aisec: () =>
      measure(process.execPath, [aisec, 'migrate', 'up', '--migrations-dir', `aisec=${migrations}`], {
        DATABASE_URL: url,
      }),
    engine: () => measure(process.execPath, [nodePgMigrate, 'up', '-m', migrations], { DATABASE_URL: url }),
  };
  /** @type {Record<string, number[]>} */
  const wallMs = { psql: [], aisec: [], engine: [] };
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(ways)) {
      await freshDatabase();
      const { wallMs: oneMs } = run();
      if (round >= 0) wallMs[name]?.push(oneMs);
    }
  }
  const [psqlMs = 0, aisecMs = 0, engineMs = 0] = ['psql', 'aisec', 'engine'].map((name) => median(wallMs[name] ?? []));
  console.log(
    `${title}, wall: psql -f ${psqlMs} ms, aisec migrate up ${aisecMs} ms, node-pg-migrate up ${engineMs} ms`,
  );
  printRatio('  aisec / psql -f of the same SQL', aisecMs / psqlMs, 2.5);
  printRatio("  aisec / node-pg-migrate's own command line", aisecMs / engineMs, 0.65);
}

/**
 * A team's own migrations on a database that has the bundled ones: three times, the quickest counts, since others use the
 * machine, too. psql, which commits each file, too, says what the server needs for them.
 *
 * @param {string} own the directory
 */
async function timeOwn(own) {
  const files = readdirSync(own).toSorted();
  const each = files.map(
    (file) => `begin;\n${readFileSync(path.join(own, file), 'utf8').split(/^-- Down Migration$/m)[0] ?? ''}\ncommit;`,
  );
  const sqlFile = path.join(directory, 'each.sql');
  writeFileSync(sqlFile, each.join('\n'));
  /** @type {number[]} */
  const psqlMs = [];
  /** @type {number[]} */
  const ownMs = [];
  for (let round = 0; round < 3; round += 1) {
    await freshDatabase();
    psqlMs.push(measure('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', sqlFile]).wallMs);
    await freshDatabase();
    measure(process.execPath, [aisec, 'migrate', 'up'], { DATABASE_URL: url });
    ownMs.push(
      measure(process.execPath, [aisec, 'migrate', 'up', '--migrations-dir', own], { DATABASE_URL: url }).wallMs,
    );
  }
  console.log(
    `${files.length} own migrations, wall: ${Math.min(...ownMs)} ms (at most 5000); psql with a transaction each ${Math.min(...psqlMs)} ms`,
  );
}

/** One start of the embedded PostgreSQL and one reading of the server's catalog, in a process: what a comparison takes at least. */
function writeStartAndCatalog() {
  const file = path.join(directory, 'start-and-catalog.mjs');
  const dist = (/** @type {string} */ name) => JSON.stringify(path.join(root, 'dist', 'adapters', name));
  writeFileSync(
    file,
    `import { openInMemory } from ${dist('embedded/embedded.js')};
import { openServer } from ${dist('postgres/server.js')};
import { readCatalog } from ${dist('catalog/snapshot.js')};
const url = new URL(process.env.DATABASE_URL);
const connection = { host: url.hostname, port: url.port, user: url.username, database: url.pathname.slice(1) };
const options = { applicationName: 'bench', schema: 'public', extensionSchema: 'public', lockTimeoutMs: 0, statementTimeoutMs: 0, idleTimeoutMs: 0, signal: new AbortController().signal };
const embedded = await openInMemory(options);
const server = await openServer({ kind: 'server', connection, source: 'DATABASE_URL' }, options);
await readCatalog(server, { schema: 'public', withoutHistory: true });
await server.close();
await embedded.close();
`,
  );
  return file;
}

/** On the database that has the bundled migrations. */
function timeReplays() {
  const env = { DATABASE_URL: url, AISEC_CACHE_DIR: path.join(directory, 'cache') };
  const baseline = writeStartAndCatalog();
  const aisecOf = (/** @type {string[]} */ ...args) => measure(process.execPath, [aisec, 'migrate', ...args], env);
  const first = { drift: aisecOf('drift'), lint: aisecOf('lint') };
  const times = medians(Math.min(ROUNDS, 7), {
    baseline: () => measure(process.execPath, [baseline], env),
    version: () => measure(process.execPath, [aisec, '--version'], env),
    drift: () => aisecOf('drift'),
    lint: () => aisecOf('lint'),
  });
  console.log(
    `replays, wall: embedded start and a catalog query ${Math.round(times.baseline.wallMs)} ms, drift ${Math.round(times.drift.wallMs)} ms ` +
      `(the first time ${Math.round(first.drift.wallMs)} ms), lint of all files ${Math.round(times.lint.wallMs)} ms (the first time ${Math.round(first.lint.wallMs)} ms)`,
  );
  printRatio('  drift / an embedded start and a catalog query', times.drift.wallMs / times.baseline.wallMs, 1.5);
  printRatio(
    '  lint of the whole chain after the start of the program, seconds of CPU',
    (times.lint.cpuMs - times.version.cpuMs) / 1000,
    1,
  );
  printRatio('  lint / an embedded start and a catalog query', times.lint.wallMs / times.baseline.wallMs, 2);
}

function writeBareProgram() {
  const file = path.join(directory, 'bare.mjs');
  writeFileSync(
    file,
    `import pg from ${JSON.stringify(import.meta.resolve('pg'))};
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query('select name from pgmigrations');
await client.end();
`,
  );
  return file;
}

function timeStatus() {
  const bare = writeBareProgram();
  const status = medians(ROUNDS, {
    bare: () => measure(process.execPath, [bare], { DATABASE_URL: url }),
    aisec: () => measure(process.execPath, [aisec, 'migrate', 'status'], { DATABASE_URL: url }),
  });
  printRatio(
    'aisec migrate status, nothing pending / bare pg program, wall',
    status.aisec.wallMs / status.bare.wallMs,
    1.5,
  );
}

try {
  console.log(`load before: ${machineLoad()}`);
  if (isWanted('help')) {
    const help = medians(ROUNDS, {
      node: () => measure(process.execPath, ['-e', '0']),
      aisec: () => measure(process.execPath, [aisec, '--help']),
    });
    printRatio('aisec --help / node -e 0, CPU', help.aisec.cpuMs / help.node.cpuMs, 1.5);
  }
  if (isWanted('up')) {
    await compareUp(
      'the bundled migrations',
      copyTransactionalMigrations(),
      'select from ensure_message_partitions();',
    );
    await compareUp('20 small migrations', writeSmallMigrations(20), '');
  }
  if (isWanted('own')) await timeOwn(writeSmallMigrations(1000));

  await freshDatabase();
  measure(process.execPath, [aisec, 'migrate', 'up'], { DATABASE_URL: url });
  if (isWanted('replay')) timeReplays();
  if (isWanted('status')) timeStatus();
  console.log(`load after: ${machineLoad()}`);
} finally {
  await server.query(`drop database if exists ${database} with (force)`);
  await server.end();
  rmSync(directory, { recursive: true, force: true });
}
