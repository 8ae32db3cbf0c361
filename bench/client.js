// What withUser costs against a plain transaction of the same queries, and what its policies cost.
//
//   npm run bench:client [rows]      default 1,000,000; needs a PostgreSQL server with a superuser:
//                                    AISEC_TEST_DATABASE_URL, or eval "$(test/support/services up)"
//
// The same connection, queries and driver in turn (A B A B ...), so that a slow moment of the machine hits both.
import { createDatabase, withUser } from '../dist/index.js';
import { median, printRatio } from './measure.js';
import { connect, dropDatabase, machineLoad, migratedDatabase, urlOf } from './support/server.js';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const USERS = Math.max(1, ROWS / 1000);
const ROUNDS = 1500;
const ROW_ROUNDS = 150;
const MOST_TRANSACTION = 1.3;
const MOST_POLICY = 2;

const database = 'aisec_bench_client';
const service = 'aisec_bench_service';
const user = '10000000-0000-4000-8000-000000000001';

/** @param {number} rounds @param {Record<string, () => Promise<unknown>>} ways */
async function inTurn(rounds, ways) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = -20; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(ways)) {
      const startedMs = performance.now();
      await run();
      if (round >= 0) times[name]?.push(performance.now() - startedMs);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

console.log(`load before: ${machineLoad()}`);
await migratedDatabase(database);
const admin = await connect(database);
await admin.query(`do $$ begin create role ${service} login; exception when duplicate_object then null; end $$`);
await admin.query(`grant authenticated to ${service} with inherit false, set true`);
await admin.query(
  `insert into users (id, username, email, password_hash)
   select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'u' || n, n || '@x', 'h' from generate_series(1, $1::int) n`,
  [USERS],
);
await admin.query(
  `insert into conversations (user_id, title)
   select ('10000000-0000-4000-8000-' || lpad((1 + n % $1::int)::text, 12, '0'))::uuid, 'c' || n from generate_series(1, $2::int) n`,
  [USERS, ROWS],
);
await admin.query('vacuum analyze');

/** @param {string} role */
const open = (role) =>
  createDatabase({
    url: Object.assign(new URL(urlOf(database)), { username: role }).href,
    poolSize: 1,
    maxOverflow: 0,
  });
const db = open(service);
const owner = open(new URL(urlOf(database)).username);
try {
  /** @param {import('kysely').Kysely<import('../dist/schema/index.js').DB>} trx */
  const three = async (trx) => {
    for (let query = 0; query < 3; query += 1)
      await trx.selectFrom('conversations').select(['id', 'title']).where('user_id', '=', user).limit(10).execute();
  };
  /** @param {import('kysely').Kysely<import('../dist/schema/index.js').DB>} trx */
  const all = (trx) => trx.selectFrom('conversations').select(['id', 'title']).execute();
  /** @param {import('kysely').Kysely<import('../dist/schema/index.js').DB>} trx */
  const filtered = (trx) =>
    trx.selectFrom('conversations').select(['id', 'title']).where('user_id', '=', user).execute();

  const rows = await withUser(db, user, all);
  if (rows.length !== ROWS / USERS) throw new Error(`the user has ${rows.length} rows`);
  const short = await inTurn(ROUNDS, {
    plain: () => owner.transaction().execute(three),
    scoped: () => withUser(db, user, three),
  });
  const long = await inTurn(ROW_ROUNDS, {
    plain: () => owner.transaction().execute(filtered),
    scoped: () => withUser(db, user, all),
  });
  const { rows: plan } = await admin
    .query(`begin; set local role authenticated; select set_config('app.current_user_id', '${user}', true)`)
    .then(() => admin.query('explain select id from conversations'));
  await admin.query('rollback');

  const ms = (/** @type {number | undefined} */ value) => `${(value ?? 0).toFixed(2)} ms`;
  console.log(
    `three queries in a plain transaction / in withUser, medians of ${ROUNDS}: ${ms(short['plain'])} / ${ms(short['scoped'])}`,
  );
  console.log(
    `${rows.length} rows of ${ROWS}, with WHERE as the owner / by policy, medians of ${ROW_ROUNDS}: ${ms(long['plain'])} / ${ms(long['scoped'])}`,
  );
  console.log(
    `plan by policy: ${plan.map((/** @type {Record<string, string>} */ row) => row['QUERY PLAN']?.trim()).join(' | ')}`,
  );
  printRatio(
    'withUser against a plain transaction of the same queries',
    (short['scoped'] ?? 0) / (short['plain'] ?? 1),
    MOST_TRANSACTION,
  );
  printRatio(
    "a user's rows by policy against the same by WHERE without RLS",
    (long['scoped'] ?? 0) / (long['plain'] ?? 1),
    MOST_POLICY,
  );
} finally {
  await db.destroy();
  await owner.destroy();
  await admin.query(`drop owned by ${service}`);
  await admin.query(`drop role ${service}`);
  await admin.end();
  await dropDatabase(database);
}
console.log(`load after: ${machineLoad()}`);
