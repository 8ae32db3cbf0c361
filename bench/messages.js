// Does deleting messages, or finding them, grow with the archive?
//
//   npm run bench:messages [messages] [months] [pruned]     default 500,000 messages, 120 archived months and a month of
//                                                  1,000,000 messages to prune; needs a PostgreSQL
//                                                  server with a superuser: AISEC_TEST_DATABASE_URL, or
//                                                  eval "$(test/support/services up)"
//
// Two databases with the same 6 live months, one with no archived month and one with so many: each step runs in both,
// under conditions that are otherwise alike. Ratios over 2 mean that the cost grows with the number of months.
import { ms, printFigures } from './support/figures.js';
import { measureInserts } from './support/inserts.js';
import { conversationId, fillEvenly, makeConversation, makeReplies, monthName, monthStart } from './support/months.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, runAisec, runAisecWell } from './support/server.js';

const ROWS = Number(process.argv[2] ?? 500_000);
const MONTHS = Number(process.argv[3] ?? 120);
const LIVE = 6;
const CONVERSATION_ROWS = 5000;
const RUNS = 3;
/** Messages of the month that is pruned. */
const PRUNED_ROWS = Number(process.argv[4] ?? 1_000_000);

/** @type {{ figure: string, value: string, target?: string }[]} */
const figures = [];

/** @param {readonly number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Runs a statement and rolls back; the median of some runs, after one that warms up. @param {import('pg').Client} client @param {string} sql */
async function timeRolledBack(client, sql) {
  const times = [];
  for (let run = 0; run <= RUNS; run += 1) {
    await client.query('begin');
    const startedMs = performance.now();
    await client.query(sql);
    // The deferred checks, which a commit runs.
    await client.query('set constraints all immediate');
    times.push(performance.now() - startedMs);
    await client.query('rollback');
  }
  return median(times.slice(1));
}

/** @param {string} database @param {number} archivedMonths */
async function build(database, archivedMonths) {
  const startedMs = performance.now();
  await migratedDatabase(database);
  const client = await connect(database);
  await client.query(`select ensure_message_partitions(3, '${monthName(LIVE - 1)}-01')`);
  const perMonth = Math.round(ROWS / (MONTHS + LIVE));
  for (let month = 0; month < LIVE; month += 1) await fillEvenly(client, 'messages', monthStart(month), perMonth);
  for (let month = LIVE; month < LIVE + archivedMonths; month += 1) {
    await client.query('select aisec_ensure_archive_month($1)', [monthStart(month)]);
    await fillEvenly(client, 'messages_archive', monthStart(month), perMonth);
  }
  // Over all months that are there, its messages answering each other.
  await makeConversation(client, 'live', CONVERSATION_ROWS, 0, LIVE);
  await makeConversation(client, 'old', CONVERSATION_ROWS, LIVE, Math.max(archivedMonths, 0));
  await makeReplies(client);
  await client.query('vacuum (analyze)');
  console.error(`${database}: built in ${ms(performance.now() - startedMs)}`);
  return client;
}

/** @param {import('pg').Client} client */
async function measure(client) {
  const { rows } = await client.query(`select id, user_id from conversations where title = 'live'`);
  const [{ id, user_id: user }] = rows;
  const { rows: some } = await client.query(
    `select id, created_at::text from messages where conversation_id = '${conversationId(7)}' limit 1`,
  );
  const [one] = some;
  const day = monthStart(1).toISOString();
  return {
    [`delete a conversation, ${CONVERSATION_ROWS} messages`]: await timeRolledBack(
      client,
      `delete from conversations where id = '${id}'`,
    ),
    'delete a user, the same': await timeRolledBack(client, `delete from users where id = '${user}'`),
    'delete 1,000 messages, one statement each': await timeRolledBack(
      client,
      `do $$ declare m record; begin
         for m in select id, created_at from messages where created_at >= '${day}' limit 1000 loop
           delete from messages where id = m.id and created_at = m.created_at;
         end loop; end $$`,
    ),
    'delete 1,000 messages, one statement': await timeRolledBack(
      client,
      `delete from messages where id in (select id from messages where conversation_id = '${id}' limit 1000)
         and created_at >= '${monthStart(LIVE - 1).toISOString()}'`,
    ),
    'conversation_messages(), the newest 50': await timeRolledBack(
      client,
      `select * from conversation_messages('${id}')`,
    ),
    'all_messages by conversation, the newest 50': await timeRolledBack(
      client,
      `select * from all_messages where conversation_id = '${id}' order by created_at desc limit 50`,
    ),
    'find_message()': await timeRolledBack(client, `select * from find_message('${one.id}')`),
    'all_messages of one day': await timeRolledBack(
      client,
      `select count(*) from all_messages where created_at >= '${day}' and created_at < '${day}'::timestamptz + interval '1 day'`,
    ),
  };
}

/** What a DBA and cron run each day; each as a whole program. @param {string} database */
async function timeCommands(database) {
  const commands = [
    ['partitions', 'list'],
    ['partitions', 'check'],
    ['partitions', 'ensure'],
    ['archive', '--dry-run'],
    ['archive'],
    ['archive', 'list'],
    ['monitor'],
    ['monitor', 'tables'],
    ['doctor'],
  ];
  for (const command of commands) {
    const startedMs = performance.now();
    await runAisec(database, command);
    const value = ms(performance.now() - startedMs);
    figures.push({ figure: `aisec ${command.join(' ')}, ${MONTHS} archived months`, value, target: 'under 3 s' });
  }
}

/** @param {string} database @param {import('pg').Client} client */
async function prune(database, client) {
  // Older than all others, and the only one that is past the age.
  const month = MONTHS + LIVE + 2;
  await client.query('select aisec_ensure_archive_month($1)', [monthStart(month)]);
  await fillEvenly(client, 'messages_archive', monthStart(month), PRUNED_ROWS);
  await client.query('vacuum (analyze) messages_archive');
  await client.query('vacuum (analyze) message_keys');
  const startedMs = performance.now();
  await runAisecWell(database, [
    'archive',
    'prune',
    '--older-than',
    `${month - 1}mo`,
    '--without-export',
    '--confirm',
    database,
  ]);
  return performance.now() - startedMs;
}

console.error(`load before: ${machineLoad()}`);
const names = { few: 'aisec_bench_messages_0', many: `aisec_bench_messages_${MONTHS}` };
try {
  const few = await build(names.few, 0);
  const many = await build(names.many, MONTHS);
  const [before, after] = [await measure(few), await measure(many)];
  for (const [figure, beforeMs] of Object.entries(before)) {
    const afterMs = after[/** @type {keyof typeof after} */ (figure)];
    figures.push({
      figure,
      value: `${ms(beforeMs)} / ${ms(afterMs)} / ${(afterMs / beforeMs).toFixed(1)}`,
      target: figure.startsWith('delete') ? 'at most 2' : '',
    });
  }
  const old = await many.query(`select id from conversations where title = 'old'`);
  const oldMs = await timeRolledBack(many, `delete from conversations where id = '${old.rows[0].id}'`);
  figures.push({
    figure: `delete a conversation, ${CONVERSATION_ROWS} messages over ${MONTHS} archived months`,
    value: `${ms(oldMs)}: ${Math.round(CONVERSATION_ROWS / (oldMs / 1000))} messages/s`,
    target: '5,000 messages/s',
  });
  await timeCommands(names.many);
  figures.push(...(await measureInserts(few)));
  printFigures(figures);
  const [fewMs, manyMs] = [await prune(names.few, few), await prune(names.many, many)];
  figures.push({
    figure: `aisec archive prune of a month of ${PRUNED_ROWS} messages, whole program`,
    value: `${ms(fewMs)} / ${ms(manyMs)} / ${(manyMs / fewMs).toFixed(1)}; ${Math.round(PRUNED_ROWS / (manyMs / 1000))} messages/s`,
    target: 'at most 2; 5,000 messages/s',
  });
  await Promise.all([few.end(), many.end()]);
} finally {
  for (const name of Object.values(names)) await dropDatabase(name);
}
console.log(`\nload after: ${machineLoad()}`);
console.log(`0 archived months / ${MONTHS} / ratio; ${ROWS} messages over ${MONTHS + LIVE} months`);
printFigures(figures);
