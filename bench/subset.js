// How long a masked subset of 20 users takes, from a database whose other users have all the rest.
//
//   npm run bench:subset [messages]     default 1,000,000, half of them archived, 1,000 for each user
//                                       (AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)")
//
// Compared with the same messages copied by psql, unmasked and unchecked: `\copy (select …) to` a file and `\copy … from` it
// into a table without triggers or keys. That is what the rows themselves cost.
import { rmSync } from 'node:fs';

import { printRatio } from './measure.js';
import { ms, printFigures } from './support/figures.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, psql, runAisecWell, urlOf } from './support/server.js';

const MESSAGES = Number(process.argv[2] ?? 1_000_000);
const [USERS, CHOSEN, MONTHS, A_CONVERSATION] = [Math.ceil(MESSAGES / 1000), 20, 24, 25];
const [source, target] = ['aisec_bench_subset', 'aisec_bench_subset_copy'];
const file = `/tmp/aisec-bench-subset-${process.pid}.copy`;

console.log(`load before: ${machineLoad()}`);
await migratedDatabase(source);
const admin = await connect(source);
try {
  // Keys are written at once instead of by triggers: what is measured is the reading.
  await admin.query(`
    set aisec.moving_messages = on;
    insert into users (username, email, password_hash, first_name, last_name)
    select 'user' || n, 'user' || n || '@aozora.co.jp', 'hash', (array['美咲', '健太', '葵'])[1 + n % 3], (array['佐藤', '田中', '長谷川'])[1 + n % 3]
    from generate_series(1, ${USERS}) as n;
    insert into assistants (user_id, name) select id, '秘書 さくら' from users;
    insert into conversations (user_id, assistant_id, title, created_at)
    select u.id, a.id, '来週の打ち合わせ ' || n, timestamptz '2024-01-01 00:00Z' + random() * interval '${MONTHS} months'
    from users u join assistants a on a.user_id = u.id, generate_series(1, ${1000 / A_CONVERSATION}) as n;
    select aisec_ensure_archive_month(m::date) from generate_series(date '2024-01-01', '2024-12-01', '1 month') as m;
    select aisec_make_message_partitions(array(select m::date from generate_series(date '2025-01-01', '2026-01-01', '1 month') as m));`);
  for (const [table, condition] of [
    ['messages_archive', "< '2025-01-01 00:00Z'"],
    ['messages', ">= '2025-01-01 00:00Z'"],
  ])
    await admin.query(`
      set aisec.moving_messages = on;
      insert into ${table} (conversation_id, role, content, metadata, created_at)
      select c.id, case n % 2 when 0 then 'user' else 'assistant' end,
        '承知しました。' || md5(c.id::text || n) || 'の件は、来週の火曜日の午後三時から会議室で打ち合わせをお願いいたします。資料は前日までにお送りします。',
        '{"tokens": 120}', c.created_at + n * interval '1 minute'
      from conversations c, generate_series(1, ${A_CONVERSATION}) as n where c.created_at ${condition};
      insert into message_keys (id, created_at) select id, created_at from ${table}`);
  await admin.query('reset aisec.moving_messages');
  await admin.query('vacuum analyze');
  const { rows } = await admin.query('select count(*)::int as n from message_keys');
  const users = `(select id from users order by md5('1' || id::text), id limit ${CHOSEN})`;
  const select = `select m.* from all_messages m where conversation_id in (select id from conversations where user_id in ${users})`;

  const ours = [];
  const plain = [];
  let copied = 0;
  for (let round = 0; round < 3; round += 1) {
    await migratedDatabase(target);
    const args = ['subset', '--users', String(CHOSEN), '--mask', '--into-url', urlOf(target), '--json'];
    const run = await runAisecWell(source, args);
    ours.push(run.wallMs);
    copied = JSON.parse(run.stdout).rows;
    const copying = psql(source, `\\copy (${select}) to '${file}'`);
    psql(target, 'create table plain (like all_messages)');
    plain.push(copying + psql(target, `\\copy plain from '${file}'`));
  }
  const [best, bestPlain] = [Math.min(...ours), Math.min(...plain)];
  printFigures([
    { figure: 'messages in the source', value: String(rows[0].n) },
    { figure: 'rows in the subset', value: String(copied) },
    { figure: `subset of ${CHOSEN} users, masked and checked`, value: ms(best), target: '10 s' },
    { figure: 'the messages alone by psql, unmasked', value: ms(bestPlain) },
  ]);
  printRatio('aisec subset against psql', best / bestPlain, 15);
  console.log(`load after: ${machineLoad()}`);
} finally {
  await admin.end();
  rmSync(file, { force: true });
  await dropDatabase(source);
  await dropDatabase(target);
}
