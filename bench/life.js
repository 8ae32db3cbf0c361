// A simulated life of the partitions: users chat, jobs run and are killed, and in the end nothing may be lost.
//
//   npm run bench:life [-- --minutes 3 --seed 1]     needs a PostgreSQL server with a superuser:
//                                                    AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// An hour lasts 2.5 s: `aisec partitions ensure` runs in each. A night comes every 10 s: `aisec archive`, every other time
// with --exact, and in between a month comes back by `aisec archive restore`. The clock itself is the server's and is not
// faked: messages are dated over the past 14 months instead, some of them in months that have no partition or are
// archived already, so that there is work every night.
//
// A round lasts half a minute. Before each, the isolation level of the database is drawn; the writers draw theirs, some of
// them load in bulk with session_replication_role = replica, and the SQL functions are called beside the commands. After each,
// the oldest month is pruned now and then, and everything is compared. The seed is drawn and printed unless it is given.
//
// Ends with exit code 1 when the database differs from what the users were told.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { openBulk } from './support/bulk.js';
import { Ledger, openChat } from './support/chat.js';
import { megabytes, ms, percentile, printFigures } from './support/figures.js';
import { openFunctions } from './support/functions.js';
import { drawIsolation, isolateDatabase } from './support/isolation.js';
import { monthName, monthStart } from './support/months.js';
import { seededRandom } from './support/random.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, runAisecWell, startAisec } from './support/server.js';
import { settle } from './support/settle.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(randomInt(1_000_000_000)) },
  },
});
const DURATION_MS = Number(values.minutes) * 60_000;
const SEED = Number(values.seed);
const ROUND_MS = 30_000;
const HOUR_MS = 2500;
const NIGHT_MS = 10_000;
const READER_EVERY_MS = 15_000;
const READER_MS = 3000;
const MONTHS = 14;
const PRUNED_AFTER_MONTHS = 12;
const USERS = 6;
const KILLED_SHARE = 0.6;
const PRUNED_SHARE = 0.5;

const database = 'aisec_bench_life';
const random = seededRandom(SEED);
const ledger = new Ledger();
/** Runs by command and how they ended. @type {Map<string, number>} */
const endings = new Map();
const kills = { SIGKILL: 0, terminated: 0, cancelled: 0 };
const AISEC_SESSIONS = `pg_stat_activity where datname = current_database() and application_name like 'aisec%'`;

/** @param {import('pg').Client} client @param {readonly string[]} args */
async function runJob(client, args) {
  const { child, ended } = startAisec(database, [...args, '--wait', '20s']);
  if (random.next() < KILLED_SHARE) {
    // From its login on, soon rather than late: most runs end within a third of a second.
    while (child.exitCode === null && (await client.query(`select from ${AISEC_SESSIONS}`)).rowCount === 0)
      await sleep(5);
    await sleep(random.next() ** 2 * 300);
    const way = random.pick(/** @type {const} */ (['SIGKILL', 'terminated', 'SIGKILL', 'terminated', 'cancelled']));
    if (child.exitCode !== null) {
      // It was faster.
    } else if (way === 'SIGKILL') {
      child.kill('SIGKILL');
      kills.SIGKILL += 1;
    } else if (way !== undefined) {
      const stop = way === 'terminated' ? 'pg_terminate_backend' : 'pg_cancel_backend';
      const { rows } = await client.query(
        `select count(*) filter (where ${stop}(pid))::int as hit from (select pid from ${AISEC_SESSIONS} order by random() limit 1) as one`,
      );
      kills[way] += rows[0].hit;
    }
  }
  const { exitCode, stderr } = await ended;
  const name = `${args.slice(0, 2).join(' ')}: ${exitCode === null ? 'killed' : `exit ${exitCode}`}`;
  // Cancelled by us, it ends with 1, too.
  if (exitCode === 1 && !stderr.includes('57014')) console.error(`${name}\n${stderr.trim()}`);
  endings.set(name, (endings.get(name) ?? 0) + 1);
}

/** @param {number} everyMs @param {(number: number) => Promise<void>} work @param {number} untilMs */
async function repeat(everyMs, work, untilMs) {
  for (let number = 0; performance.now() < untilMs; number += 1) {
    const startedMs = performance.now();
    await work(number);
    await sleep(Math.max(0, Math.min(startedMs + everyMs, untilMs) - performance.now()));
  }
}

async function idleInTransaction() {
  const reader = await connect(database, 'a forgotten report');
  // Not SERIALIZABLE, where a report may fail whatever is done to the months.
  const level = random.pick(['read committed', 'repeatable read']);
  await reader.query(`begin isolation level ${level}; select count(*) from messages`);
  await sleep(READER_MS);
  await reader.query('commit');
  await reader.end();
}

/** As a statement timeout of the server's configuration would: the application's statement fails, nobody else's. */
async function statementTimeout() {
  const client = await connect(database, 'a slow report');
  await client.query(`begin isolation level read committed; set local statement_timeout = '800ms'`);
  const error = await client.query('select count(*), pg_sleep(10) from all_messages').then(
    () => undefined,
    (/** @type {unknown} */ failure) => /** @type {{ code?: string }} */ (failure).code,
  );
  await client.end();
  return error === '57014' ? 1 : 0;
}

/** @param {number} number */
function nightJob(number) {
  const month = monthName(7 + random.below(MONTHS - 7));
  return number % 2 === 1
    ? ['archive', 'restore', month]
    : number % 4 === 0
      ? ['archive']
      : ['archive', '--exact', '--batch', '50'];
}

/** @param {Awaited<ReturnType<typeof settle>>} settled */
function isWholeSo({ faults }) {
  return Object.values(faults).every((count) => count === 0);
}

/**
 * Prunes the archived months before the last year, while nobody writes: perhaps a killed run, then a whole one. The book
 * follows what the archive held before, which has just been compared.
 *
 * @param {import('pg').Client} client
 */
async function prune(client) {
  const { rows } = await client.query('select id from messages_archive where created_at < $1', [
    monthStart(PRUNED_AFTER_MONTHS).toISOString(),
  ]);
  const args = [
    'archive',
    'prune',
    '--older-than',
    `${PRUNED_AFTER_MONTHS}mo`,
    '--without-export',
    '--confirm',
    database,
  ];
  await runJob(client, args);
  await runAisecWell(database, [...args, '--wait', '30s']);
  ledger.deleteIds(rows.map(({ id }) => id));
  return rows.length > 0 ? 1 : 0;
}

/** @param {string} title @param {ReadonlyMap<string, number>} counts */
function listCounts(title, counts) {
  return [...counts.keys()]
    .toSorted((a, b) => a.localeCompare(b))
    .map((name) => ({ figure: `${title} ${name}`, value: String(counts.get(name)) }));
}

console.error(`load before: ${machineLoad()}, seed ${SEED}`);
await migratedDatabase(database);
const client = await connect(database);
let exitCode = 0;
try {
  const { rows } = await client.query('select pg_current_wal_insert_lsn()::text as lsn');
  const chat = await openChat(database, ledger, { users: USERS, months: MONTHS, seed: SEED });
  const bulk = await openBulk(database, ledger, { months: MONTHS, seed: SEED });
  const functions = openFunctions(database, { months: MONTHS, seed: SEED });
  const endMs = performance.now() + DURATION_MS;
  let [timeouts, rounds, prunes] = [0, 0, 0];
  let settled;
  do {
    const untilMs = Math.min(endMs, performance.now() + ROUND_MS);
    const level = drawIsolation(random);
    await isolateDatabase(client, database, level);
    await Promise.all([
      repeat(HOUR_MS, () => runJob(client, ['partitions', 'ensure']), untilMs),
      repeat(NIGHT_MS / 2, (number) => runJob(client, nightJob(number)), untilMs),
      repeat(READER_EVERY_MS, idleInTransaction, untilMs),
      chat.run(untilMs),
      bulk.run(untilMs),
      functions.run(untilMs),
      ...(rounds === 0 ? [statementTimeout().then((count) => (timeouts = count))] : []),
    ]);
    rounds += 1;
    settled = await settle(client, ledger);
    if (isWholeSo(settled) && random.next() < PRUNED_SHARE) {
      prunes += await prune(client);
      settled = await settle(client, ledger);
    }
    console.error(
      `round ${rounds} (${level ?? 'no isolation level'}): ${settled.live} live, ${settled.archived} archived, ` +
        (isWholeSo(settled) ? 'no difference' : `A DIFFERENCE, seed ${SEED}`),
    );
  } while (isWholeSo(settled) && performance.now() < endMs);
  let findings = 'not looked for';
  if (isWholeSo(settled)) {
    await runAisecWell(database, ['partitions', 'ensure', '--wait', '30s']);
    await runAisecWell(database, ['archive', '--exact', '--wait', '30s']);
    findings = (await runAisecWell(database, ['partitions', 'check'])).stdout.trim() || '0';
    settled = await settle(client, ledger);
  }
  const { live, archived, files, faults } = settled;

  const journal = await client.query(
    'select action, count(*)::int as moves from archive_journal group by action order by action',
  );
  await sleep(1500);
  const server = await client.query(
    `select deadlocks::int, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::float8 as wal
     from pg_stat_database where datname = current_database()`,
    [rows[0].lsn],
  );
  const { counts, waitsMs, errors } = ledger;
  const killCount = kills.SIGKILL + kills.terminated + kills.cancelled;
  console.log(`\nload after: ${machineLoad()}, seed ${SEED}, ${values.minutes} minutes`);
  printFigures([
    {
      figure: 'messages written (replies) / edited',
      value: `${counts.written} (${counts.replies}) / ${counts.edited}`,
    },
    { figure: 'messages moved to another time', value: String(counts.moved) },
    { figure: 'messages deleted, with conversations', value: `${counts.deleted}, ${counts.conversationsDeleted}` },
    {
      figure: 'loads and their deletions, as replica / origin',
      value: `${counts.replicaBatches} / ${counts.originBatches}`,
    },
    { figure: 'rounds compared, months pruned', value: `${rounds}, ${prunes}` },
    { figure: 'in messages / in the archive / files', value: `${live} / ${archived} / ${files}` },
    ...Object.entries(faults).map(([fault, count]) => ({
      figure: fault,
      value: String(count),
      target: '0',
    })),
    { figure: 'references refused since the message was deleted meanwhile', value: String(counts.refusedReferences) },
    { figure: 'serialization failures (40001)', value: String(counts.serializationFailures) },
    {
      figure: 'other errors of applications',
      value: [...errors].map(([code, count]) => `${count} x ${code}`).join(', ') || '0',
      target: '0',
    },
    { figure: 'deadlocks (pg_stat_database)', value: String(server.rows[0].deadlocks), target: '0' },
    {
      figure: 'waits of applications, median / 99 % / longest',
      value: [0.5, 0.99, 1].map((share) => ms(percentile(waitsMs, share))).join(' / '),
    },
    { figure: 'the statement that waited longest', value: ledger.longest.statement },
    {
      figure: 'in the journal',
      value: journal.rows.map(({ action, moves }) => `${moves} x ${action}`).join(', '),
    },
    { figure: 'WAL of the whole server', value: megabytes(server.rows[0].wal) },
    {
      figure: 'kills survived: SIGKILL / terminated / cancelled',
      value: `${killCount}: ${kills.SIGKILL} / ${kills.terminated} / ${kills.cancelled}`,
    },
    { figure: 'statements of applications that timed out', value: String(timeouts), target: '1' },
    { figure: 'findings of partitions check at the end', value: findings, target: '0' },
    ...listCounts('runs of', endings),
    ...listCounts('calls of', functions.answers),
    { figure: 'answers of SQL functions that nobody expects', value: String(functions.unexpected.length), target: '0' },
  ]);
  for (const answer of functions.unexpected.slice(0, 10)) console.log(answer);
  const isWhole = isWholeSo(settled);
  console.log(isWhole ? 'nothing lost, nothing doubled' : `THE DATABASE DIFFERS FROM WHAT WAS WRITTEN, seed ${SEED}`);
  if (!isWhole || functions.unexpected.length > 0) exitCode = 1;
} finally {
  await client.end();
  await dropDatabase(database);
}
process.exitCode = exitCode;
