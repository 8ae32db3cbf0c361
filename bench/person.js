// What erasing and exporting a person takes, and what a writer beside it waits.
//
//   npm run bench:person [messages]     default 60,000 of the person, in 36 archived months and 6 live ones, beside three times as
//                                       many of others (AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)")
//
// Compared, in the same run on the same rows, with what the rows themselves cost a DBA who knows them: DELETE of the messages by
// their conversations in one statement a table, whose locks nobody limits, and `\copy (select …)` of them to a file. The subset
// of 20 users is in bench/subset.js.
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';

import { printRatio } from './measure.js';
import { megabytes, ms, printFigures, waits } from './support/figures.js';
import {
  connect,
  dropDatabase,
  machineLoad,
  migratedDatabase,
  onServer,
  psql,
  runAisecWell,
  urlOf,
} from './support/server.js';
import { startTraffic } from './support/traffic.js';
import { startWriteSampler } from './support/write-sampler.js';

const MESSAGES = Number(process.argv[2] ?? 60_000);
const [ARCHIVED, LIVE, A_CONVERSATION, OTHERS] = [36, 6, 50, 3];
const [source, plain] = ['aisec_bench_person', 'aisec_bench_person_plain'];
const file = `/tmp/aisec-bench-person-${process.pid}`;
const PERSON = '00000000-0000-4000-8000-000000000001';
const WRITER = '00000000-0000-4000-8000-000000000002';
const WRITES = { clients: 4, perSecond: 100 };

/** @param {import('pg').Client} admin */
async function fill(admin) {
  const perUser = MESSAGES / A_CONVERSATION;
  const months = ARCHIVED + LIVE;
  await admin.query(`
    set aisec.moving_messages = on;
    insert into users (id, username, email, password_hash)
    select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n, 'user' || n || '@example.com', 'hash'
    from generate_series(1, ${OTHERS + 1}) as n;
    insert into assistants (user_id, name) select id, 'secretary' from users;
    insert into conversations (user_id, assistant_id, title, created_at)
    select u.id, a.id, 'talk ' || n, timestamptz '2022-01-01 00:00Z' + ${months} * interval '1 month' * (n - 1) / ${perUser}
    from users u join assistants a on a.user_id = u.id, generate_series(1, ${perUser}) as n;
    select aisec_ensure_archive_month(m::date)
    from generate_series(date '2022-01-01', date '2022-01-01' + interval '${ARCHIVED - 1} months', '1 month') as m;
    select aisec_make_message_partitions(array(
      select m::date from generate_series(
        date '2022-01-01' + interval '${ARCHIVED} months', date '2022-01-01' + interval '${months} months', '1 month') as m))`);
  const border = `timestamptz '2022-01-01 00:00Z' + interval '${ARCHIVED} months'`;
  for (const [table, condition] of [
    ['messages_archive', `< ${border}`],
    ['messages', `>= ${border}`],
  ])
    // Keys are written at once instead of by triggers: what is measured is what comes then. Each third one is a reply.
    await admin.query(`
      set aisec.moving_messages = on;
      create temporary table made as
      select gen_random_uuid() as id, c.id as conversation_id, n, c.created_at + n * interval '1 second' as created_at
      from conversations c, generate_series(1, ${A_CONVERSATION}) as n where c.created_at ${condition};
      insert into message_keys (id, created_at) select id, created_at from made;
      insert into ${table} (id, conversation_id, role, content, metadata, parent_id, created_at)
      select made.id, made.conversation_id, case made.n % 2 when 0 then 'user' else 'assistant' end,
        '承知しました。' || md5(made.id::text) || 'の件は、来週の火曜日の午後三時から会議室で打ち合わせをお願いいたします。', '{"tokens": 120}',
        before.id, made.created_at
      from made
      left join made as before on before.conversation_id = made.conversation_id and before.n = made.n - 1 and made.n % 3 = 0;
      drop table made`);
  await admin.query('reset aisec.moving_messages');
  await admin.query('vacuum analyze');
}

/** Longest memory of the process, from the program itself. @param {readonly string[]} args */
async function exportOnce(args) {
  const startedMs = performance.now();
  const run = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,process.on('exit',()=>process.stderr.write('RSS '+process.resourceUsage().maxRSS))`,
      'bin/aisec.js',
      ...args,
    ],
    { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DATABASE_URL: urlOf(source) }, encoding: 'utf8' },
  );
  if (run.status !== 0) throw new Error(run.stderr);
  return { wallMs: performance.now() - startedMs, memoryBytes: Number(/RSS (\d+)/.exec(run.stderr)?.[1]) * 1024 };
}

/** A message of another user, and one of the person as long as there are conversations of theirs. @param {string} user */
function write(user) {
  const text = `insert into messages (conversation_id, role, content)
    select id, 'user', 'written meanwhile' from conversations where user_id = '${user}' limit 1`;
  return async (/** @type {import('pg').Client} */ client) => void (await client.query(text));
}

console.log(`load before: ${machineLoad()}`);
await migratedDatabase(source);
const admin = await connect(source);
try {
  await fill(admin);
  await admin.end();
  await onServer(`drop database if exists ${plain} with (force)`);
  await onServer(`create database ${plain} template ${source}`);
  const own = `conversation_id in (select id from conversations where user_id = '${PERSON}')`;

  const exports = [];
  const copies = [];
  for (let round = 0; round < 3; round += 1) {
    exports.push(await exportOnce(['user', 'export', PERSON, '--out', `${file}.zip`, '--replace']));
    copies.push(psql(source, `\\copy (select row_to_json(m) from all_messages m where ${own}) to '${file}.copy'`));
  }
  const [exported] = exports.toSorted((a, b) => a.wallMs - b.wallMs);
  const { size } = statSync(`${file}.zip`);

  const deletingMs = psql(
    plain,
    `begin; delete from messages where ${own}; delete from messages_archive where ${own}; delete from conversations where user_id = '${PERSON}'; commit`,
  );
  const others = await startTraffic(source, { ...WRITES, work: write(WRITER) });
  const themselves = await startTraffic(source, { clients: 1, perSecond: 20, work: write(PERSON) });
  const locks = await startWriteSampler(source, 'aisec user erase');
  const erased = await runAisecWell(source, ['user', 'erase', PERSON, '--confirm', 'user1', '--json', '--out', '/tmp']);
  const [waited, refused] = [await others.stop(), await themselves.stop()];
  const { longestMs, seen, looks, longestGapMs, longestQuery } = await locks.stop();
  const { certificate } = JSON.parse(erased.stdout);
  const rows = certificate.tables.reduce(
    (/** @type {number} */ sum, /** @type {{ before: number }} */ { before }) => sum + before,
    0,
  );
  const deletedMs = Date.parse(certificate.erasedAt) - Date.parse(certificate.startedAt);
  for (const name of ['json', 'html'])
    rmSync(`/tmp/erasure-${certificate.subjectHash.slice(0, 12)}.${name}`, { force: true });

  printFigures([
    { figure: 'messages of the person', value: String(MESSAGES) },
    { figure: 'user export, whole program', value: ms(exported?.wallMs ?? 0), target: `${ms(MESSAGES / 10)}` },
    { figure: '  its memory at the most', value: megabytes(exported?.memoryBytes ?? 0), target: '150 MB' },
    { figure: '  the file', value: megabytes(size) },
    { figure: '\\copy of the messages alone, as JSON', value: ms(Math.min(...copies)) },
    { figure: 'user erase, whole program, with the search of every column', value: ms(erased.wallMs) },
    { figure: '  deleting, from the first row to the row of users', value: ms(deletedMs) },
    { figure: '  rows of all tables', value: String(rows) },
    { figure: '  messages a second', value: (MESSAGES / (deletedMs / 1000)).toFixed(0), target: '10000' },
    { figure: '  longest transaction with a lock for writing', value: ms(longestMs), target: 'none over 50 ms' },
    { figure: '    what it ran', value: (longestQuery ?? '').replaceAll(/\s+/g, ' ').slice(0, 60) },
    {
      figure: '    looks that saw one, of all, longest time between two',
      value: `${seen} / ${looks} / ${ms(longestGapMs)}`,
    },
    {
      figure: '  writes of others meanwhile, median / 99 % / longest',
      value: waits(waited),
      target: 'none over 100 ms',
    },
    { figure: '  writes of the person meanwhile', value: waits(refused), target: 'none over 100 ms' },
    { figure: 'delete … where conversation_id in (…), one transaction', value: ms(deletingMs) },
  ]);
  printRatio('user erase (deleting) against a plain delete', deletedMs / deletingMs, 3);
  printRatio('user export against \\copy', (exported?.wallMs ?? 0) / Math.min(...copies), 15);
  console.log(`load after: ${machineLoad()}`);
} finally {
  await admin.end().catch(() => undefined);
  for (const name of ['zip', 'copy']) rmSync(`${file}.${name}`, { force: true });
  await dropDatabase(source);
  await dropDatabase(plain);
}
