// What `aisec archive` costs, against the DELETE ... INSERT of the design document on the same rows.
//
//   npm run bench:archive [rows]     default 200,000; needs a PostgreSQL server with a superuser:
//                                    AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// Waits are those of applications: the time of one transaction as its client sees it, 150 inserts a second from four
// clients unless said otherwise. The program runs as a whole process; its start is in its time.
import { setTimeout as sleep } from 'node:timers/promises';

import { megabytes, ms, printFigures, waits } from './support/figures.js';
import { startLockSampler } from './support/lock-sampler.js';
import { makeDocumentTables } from './support/document.js';
import { measureLookup } from './support/lookup.js';
import { fillMonth, monthName, monthStart } from './support/months.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, runAisecWell } from './support/server.js';
import { startTraffic, writeBoth, writeOne } from './support/traffic.js';
import { measureWal } from './support/wal.js';

const ROWS = Number(process.argv[2] ?? 200_000);
const EXACT_ROWS = Math.min(ROWS, 200_000);
const SWAPS = 50;
const READER_SECONDS = 8;
const INSERTS = { clients: 4, perSecond: 150 };
/** Wholly older than six months. */
const OLD_MONTH = 8;
const EXACT_MONTH = 10;
const DAY_MS = 24 * 60 * 60 * 1000;

const database = 'aisec_bench_archive';
/** @type {{ figure: string, value: string, target?: string }[]} */
const figures = [];
/** @param {string} figure @param {string} value @param {string} [target] */
function note(figure, value, target = '') {
  figures.push({ figure, value, target });
  console.error(`${figure}: ${value}`);
}

/** The last move on record: from its first attempt to its end, and how often it was tried. @param {import('pg').Client} client */
async function lastMove(client) {
  const { rows } = await client.query(
    `select lock_wait_ms::float8 as "tookMs", attempts, row_count::float8 as rows,
            extract(epoch from finished_at - started_at)::float8 as seconds
     from archive_journal order by id desc limit 1`,
  );
  return /** @type {{ tookMs: number, attempts: number, rows: number, seconds: number }} */ (rows[0]);
}

/** @param {import('pg').Client} client */
async function measureMonth(client) {
  const { rows } = await client.query(
    `select pg_size_pretty(pg_total_relation_size($1::regclass)) as size, pg_total_relation_size($1::regclass)::float8 as bytes`,
    [partitionName()],
  );
  note(`month of ${ROWS} rows`, rows[0].size);

  const quiet = await measureWal(client, () => runAisecWell(database, ['archive']));
  note(
    'aisec archive, no other writer: WAL of its statements / of the whole server',
    `${quiet.statementBytes === null ? '?' : megabytes(quiet.statementBytes)} / ${megabytes(quiet.serverBytes)}`,
    'under 1 MB',
  );
  await runAisecWell(database, ['archive', 'restore', monthName(OLD_MONTH)]);

  const traffic = await startTraffic(database, { ...INSERTS, work: writeOne() });
  await sleep(2000);
  const calmMs = traffic.takeWaits();
  const sampler = await startLockSampler(database);
  const { wallMs } = await runAisecWell(database, ['archive']);
  const locks = await sampler.stop();
  const waitsMs = await traffic.stop();
  const move = await lastMove(client);
  note('aisec archive under inserts: whole program', ms(wallMs));
  note('  the move itself, first attempt to end (journal)', `${ms(move.tookMs)}, attempt ${move.attempts}`);
  note(
    '  ACCESS EXCLUSIVE on messages held (pg_locks, longest gap between looks)',
    `${locks.heldMs.map(ms).join(', ') || 'not seen'} (${ms(locks.longestGapMs)})`,
    'under 50 ms',
  );
  note('  inserts before it, median / 99 % / longest', waits(calmMs));
  note('  inserts during it, median / 99 % / longest', waits(waitsMs), 'none over 300 ms');
  await runAisecWell(database, ['archive', 'restore', monthName(OLD_MONTH)]);
  const withoutAnalyze = await runAisecWell(database, ['archive', '--no-analyze']);
  note('aisec archive --no-analyze: whole program', ms(withoutAnalyze.wallMs));
  await runAisecWell(database, ['archive', 'restore', monthName(OLD_MONTH)]);
  return { wallMs, withoutAnalyzeMs: withoutAnalyze.wallMs, moveMs: move.tookMs };
}

/** @param {import('pg').Client} client */
async function measureBehindReader(client) {
  const reader = await connect(database, 'a long report');
  const traffic = await startTraffic(database, { ...INSERTS, work: writeOne() });
  await sleep(1000);
  traffic.takeWaits();
  const reading = reader
    .query(
      `begin; select count(*) from messages where created_at < '2000-01-01'; select pg_sleep(${READER_SECONDS}); commit`,
    )
    .then(() => reader.end());
  await sleep(300);
  const { wallMs } = await runAisecWell(database, ['archive', '--max-wait', '30s']);
  const waitsMs = await traffic.stop();
  await reading;
  const { attempts } = await lastMove(client);
  note(`aisec archive behind a reader of ${READER_SECONDS} s: whole program`, `${ms(wallMs)}, attempt ${attempts}`);
  note('  inserts meanwhile, median / 99 % / longest', waits(waitsMs), 'none over 300 ms');
  await runAisecWell(database, ['archive', 'restore', monthName(OLD_MONTH)]);
}

/** @param {import('pg').Client} client */
async function measureSwaps(client) {
  const deadlocks = async () =>
    Number(
      (await client.query('select deadlocks from pg_stat_database where datname = current_database()')).rows[0]
        .deadlocks,
    );
  const before = await deadlocks();
  const traffic = await startTraffic(database, { clients: 8, perSecond: 400, work: writeBoth });
  const startedMs = performance.now();
  let attempts = 0;
  for (let swap = 0; swap < SWAPS; swap += 1) {
    await runAisecWell(
      database,
      swap % 2 === 0 ? ['archive', '--no-analyze'] : ['archive', 'restore', monthName(OLD_MONTH)],
    );
    attempts += (await lastMove(client)).attempts;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const waitsMs = await traffic.stop();
  // A backend reports its counts when it is idle, at most once a second.
  await sleep(1500);
  const errors = [...traffic.errors].map(([code, count]) => `${count} x ${code}`).join(', ');
  note(
    `${SWAPS} swaps under transactions in both lock orders: transactions a second, attempts`,
    `${Math.round(waitsMs.length / seconds)}, ${attempts}`,
    '400',
  );
  note(
    '  deadlocks (pg_stat_database) / errors of applications',
    `${(await deadlocks()) - before} / ${errors || '0'}`,
    '0 / 0',
  );
  note('  transactions, median / 99 % / longest', waits(waitsMs));
}

/** @param {import('pg').Client} client */
async function measureExact(client) {
  const from = monthStart(EXACT_MONTH);
  await runAisecWell(database, ['partitions', 'ensure', '--since', monthName(EXACT_MONTH)]);
  await fillMonth(client, from.toISOString(), EXACT_ROWS, '20 days');
  // The cutoff lies in the last day of that month.
  const days = Math.floor((Date.now() - monthStart(EXACT_MONTH - 1).getTime()) / DAY_MS) + 1;
  const traffic = await startTraffic(database, { ...INSERTS, work: writeOne() });
  const { wallMs } = await runAisecWell(database, ['archive', '--exact', '--older-than', `${days}d`]);
  const waitsMs = await traffic.stop();
  const { rows, seconds } = await lastMove(client);
  note(`--exact, ${rows} rows: rows a second`, String(Math.round(rows / seconds)), 'at least 20,000');
  note('  whole program', ms(wallMs));
  note('  inserts meanwhile, median / 99 % / longest', waits(waitsMs));
}

/** @param {import('pg').Client} client @param {{ wallMs: number, withoutAnalyzeMs: number, moveMs: number }} aisec */
async function measureDocument(client, aisec) {
  const bounds = { from: monthStart(OLD_MONTH).toISOString(), to: monthStart(OLD_MONTH - 1).toISOString() };
  await makeDocumentTables(client, { partition: partitionName(), ...bounds });
  const traffic = await startTraffic(database, { ...INSERTS, work: writeOne('document.messages') });
  await sleep(1000);
  traffic.takeWaits();
  const startedMs = performance.now();
  const wal = await measureWal(client, () => client.query('select document.archive_old_messages()'));
  const tookMs = performance.now() - startedMs;
  const waitsMs = await traffic.stop();
  note("the document's DELETE ... INSERT: time", ms(tookMs));
  note(
    '  WAL of all statements / of the whole server, inserts included',
    `${wal.statementBytes === null ? '?' : megabytes(wal.statementBytes)} / ${megabytes(wal.serverBytes)}`,
  );
  note('  inserts meanwhile, median / 99 % / longest', waits(waitsMs));
  const times = (/** @type {number} */ ofMs) => (tookMs / ofMs).toFixed(0);
  note(
    'times faster: whole program / --no-analyze / the move itself',
    `${times(aisec.wallMs)} / ${times(aisec.withoutAnalyzeMs)} / ${times(aisec.moveMs)}`,
    'at least 100 with 2,000,000 rows',
  );
}

const partitionName = () => `messages_y${monthName(OLD_MONTH).replace('-', 'm')}`;

console.error(`load before: ${machineLoad()}`);
await migratedDatabase(database);
const client = await connect(database);
try {
  await runAisecWell(database, ['partitions', 'ensure', '--since', monthName(OLD_MONTH)]);
  // Only the one old month: each further one would be a swap of its own.
  await runAisecWell(database, ['archive']);
  await runAisecWell(database, ['archive', 'restore', monthName(OLD_MONTH)]);
  await fillMonth(client, monthStart(OLD_MONTH).toISOString(), ROWS);
  const aisec = await measureMonth(client);
  await measureBehindReader(client);
  await measureSwaps(client);
  await measureExact(client);
  await measureDocument(client, aisec);
  const lookup = await measureLookup('aisec_bench_archive_lookup');
  note(
    `lookup by id, ${lookup.partitions} months: find_message / all_messages by id alone, median`,
    `${ms(lookup.byKey.medianMs)} / ${ms(lookup.byId.medianMs)}`,
  );
  note(
    '  partitions locked, default included',
    `${lookup.byKey.mostPartitions} / ${lookup.byId.mostPartitions}`,
    '1, with the default one 2',
  );
} finally {
  await client.end();
  await dropDatabase(database);
}
console.log(`\nload after: ${machineLoad()}`);
printFigures(figures);
