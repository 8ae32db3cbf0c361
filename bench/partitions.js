// Speed of `partitions ensure`, as a ratio against psql running the same DDL, measured in turn on the same server.
//
//   node bench/partitions.js         needs a PostgreSQL server: AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { measure, median, printRatio } from './measure.js';
import { FILLINGS, measureDrain } from './support/drain.js';

const ROUNDS = Number(process.env['AISEC_BENCH_ROUNDS'] ?? 9);
const MONTHS = 120;
const DRAINED_ROWS = Number(process.env['AISEC_BENCH_DRAINED_ROWS'] ?? 1_000_000);
const aisec = path.join(import.meta.dirname, '..', 'bin', 'aisec.js');
const serverUrl = process.env['AISEC_TEST_DATABASE_URL'];
if (serverUrl === undefined)
  throw new Error('set AISEC_TEST_DATABASE_URL, for example by: eval "$(test/support/services up)"');

const directory = mkdtempSync(path.join(tmpdir(), 'aisec-bench-'));
const server = new pg.Client({ connectionString: serverUrl });
await server.connect();
const template = 'aisec_bench_partitions_template';
const database = 'aisec_bench_partitions';
/** @param {string} name */
const urlOf = (name) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).toString();

/** @param {string} name @param {string} from */
async function freshDatabase(name, from) {
  await server.query(`drop database if exists ${name} with (force)`);
  await server.query(`create database ${name} template ${from}`);
}

/** @param {string} sql */
async function inTemplate(sql) {
  const client = new pg.Client({ connectionString: urlOf(template) });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** What one month takes, written by hand: the statements that the functions of the migrations run. */
async function writeDdl() {
  const { rows } = await inTemplate(
    `select to_char(m, '"messages_y"YYYY"m"MM') as name,
            to_char(m, 'YYYY-MM-DD') || ' 00:00:00+00' as lower, to_char(m + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' as upper
     from generate_series(date_trunc('month', now() at time zone 'UTC'),
                          date_trunc('month', now() at time zone 'UTC') + interval '${MONTHS - 1} months', '1 month') as m`,
  );
  const file = path.join(directory, 'months.sql');
  const statements = rows.map(
    ({ name, lower, upper }) => `create table ${name} (like messages including all excluding comments);
alter table ${name} add constraint message_month_bounds check (created_at >= '${lower}' and created_at < '${upper}');
alter table ${name} enable row level security;
alter table messages attach partition ${name} for values from ('${lower}') to ('${upper}');`,
  );
  writeFileSync(file, `${statements.join('\n')}\n`);
  return file;
}

try {
  await freshDatabase(template, 'template0');
  measure(process.execPath, [aisec, 'migrate', 'up'], { DATABASE_URL: urlOf(template) });
  const { rows } = await inTemplate(
    `select relid::regclass::text as name from pg_partition_tree('messages') where isleaf and relid <> 'messages_default'::regclass`,
  );
  for (const { name } of rows) await inTemplate(`drop table ${name}`);
  const file = await writeDdl();
  const url = urlOf(database);
  const psql = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', file];
  const ways = {
    psql: () => measure('psql', psql),
    psqlAtOnce: () => measure('psql', ['-1', ...psql]),
    aisec: () =>
      measure(process.execPath, [aisec, 'partitions', 'ensure', '--ahead', String(MONTHS - 1)], { DATABASE_URL: url }),
  };
  /** @type {Record<string, number[]>} */
  const wallMs = { psql: [], psqlAtOnce: [], aisec: [] };
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(ways)) {
      await freshDatabase(database, template);
      const { wallMs: oneMs } = run();
      if (round >= 0) wallMs[name]?.push(oneMs);
    }
  }
  const [psqlMs = 0, atOnceMs = 0, aisecMs = 0] = ['psql', 'psqlAtOnce', 'aisec'].map((name) =>
    median(wallMs[name] ?? []),
  );
  console.log(
    `${MONTHS} months, wall: psql -f ${psqlMs} ms, psql -1 -f (one transaction) ${atOnceMs} ms, aisec ${aisecMs} ms`,
  );
  printRatio(`${MONTHS} months ensured / psql -f of the same DDL, wall`, aisecMs / psqlMs, 1.5);
  const idle = [];
  for (let round = 0; round < ROUNDS; round += 1)
    idle.push(measure(process.execPath, [aisec, 'partitions', 'ensure'], { DATABASE_URL: url }).wallMs);
  console.log(`nothing to do, wall: aisec ${median(idle)} ms`);
  for (const filling of FILLINGS) {
    const { longestMs, rate } = await measureDrain(DRAINED_ROWS, filling);
    printRatio(`longest insert beside the drain of ${filling.title} / 300 ms`, longestMs / 300, 1);
    printRatio(`40,000 rows a second / drain of ${filling.title}`, 40_000 / rate, 1);
  }
} finally {
  await server.query(`drop database if exists ${database} with (force)`);
  await server.query(`drop database if exists ${template} with (force)`);
  await server.end();
  rmSync(directory, { recursive: true, force: true });
}
