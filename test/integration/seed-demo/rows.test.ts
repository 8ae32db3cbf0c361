import { beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';

const SIZE = ['--users', '40', '--messages', '12000', '--embeddings', '120', '--months', '3'];
const FIXED = [...SIZE, '--until', '2026-07-11', '--seed', 'rows'];
/** Of the design document but messages_archive, and what its messages bring with them. */
const TABLES = [
  'users',
  'assistants',
  'skill_definitions',
  'assistant_skills',
  'conversations',
  'messages',
  'message_keys',
  'voices',
  'avatars',
  'personality_templates',
  'files',
  'knowledge_base',
  'user_preferences',
  'system_settings',
  'api_usage',
];

async function seeded(args: readonly string[]): Promise<ServerDatabase> {
  const database = await createServerDatabase({ migrated: true });
  const run = await runInProcess(['seed', 'demo', ...args], { env: { DATABASE_URL: database.url } });
  if (run.exitCode !== 0) throw new Error(run.stderr);
  return database;
}

/** A hash of each table's rows; the password's own hash has a random salt. */
async function hashes({ admin }: ServerDatabase): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const name of TABLES) {
    const { rows } = await admin.query(
      `select count(*) || ':' || sum(hashtextextended((to_jsonb(t) - 'password_hash')::text, 0)::numeric) as hash from ${name} t`,
    );
    found[name] = rows[0].hash;
  }
  return found;
}

describeOnServer('the rows of aisec seed demo', () => {
  let database: ServerDatabase;
  const one = async (sql: string): Promise<Readonly<Record<string, unknown>>> =>
    (await database.admin.query(sql)).rows[0];
  beforeAll(async () => {
    database = await seeded([...FIXED, '--locale', 'ja']);
  });

  test('are in every table but the archive', async () => {
    for (const name of TABLES)
      expect((await database.admin.query(`select from ${name} limit 1`)).rowCount, name).toBe(1);
    expect((await database.admin.query('select from messages_archive')).rowCount).toBe(0);
    expect(await one('select count(*)::int as n from messages')).toEqual({ n: 12_000 });
    expect(await one('select count(*)::int as n from message_keys')).toEqual({ n: 12_000 });
    expect(await one('select count(*)::int as n from messages_default')).toEqual({ n: 0 });
  });

  test('are the same for the same seed, in another database and at another time', async () => {
    const again = await seeded([...FIXED, '--locale', 'ja']);
    expect(await hashes(again)).toEqual(await hashes(database));
  });

  test('are others for another seed, in as many rows', async () => {
    const other = await seeded([...SIZE, '--until', '2026-07-11', '--seed', 'other']);
    const [mine, theirs] = [await hashes(database), await hashes(other)];
    const countOf = (hash = ''): string | undefined => hash.split(':')[0];
    for (const [name, hash] of Object.entries(mine)) {
      expect(countOf(theirs[name]), name).toBe(countOf(hash));
      expect(theirs[name], name).not.toBe(hash);
    }
  });

  test('have foreign keys and checks that hold when they are all checked again', async () => {
    const { rows } = await database.admin.query(
      `select conrelid::regclass::text as name, conname, pg_get_constraintdef(oid) as definition from pg_constraint
       where connamespace = 'public'::regnamespace and contype in ('f', 'c') and conparentid = 0 and conislocal`,
    );
    expect(rows.filter(({ definition }) => definition.startsWith('FOREIGN')).length).toBeGreaterThan(20);
    for (const { name, definition } of rows)
      await database.admin.query(`begin; alter table ${name} add constraint checked_anew ${definition}; rollback`);
  });

  test('reply to an earlier message of the same conversation, most of them', async () => {
    const replies = await one(
      `select count(*) filter (where m.parent_id is not null)::float / count(*) as share,
              count(*) filter (where m.parent_id is not null and p.id is null)::int as astray,
              count(*) filter (where p.conversation_id <> m.conversation_id)::int as elsewhere,
              count(*) filter (where p.created_at >= m.created_at)::int as too_late
       from messages m left join messages p on p.id = m.parent_id`,
    );
    expect(replies).toEqual({ share: expect.any(Number), astray: 0, elsewhere: 0, too_late: 0 });
    expect(replies['share']).toBeGreaterThan(0.8);
  });

  test('are written by day more than by night, in the time zone of the people', async () => {
    const hours = await one(
      `select count(*) filter (where hour between 9 and 18)::float / count(*) as day,
              count(*) filter (where hour between 0 and 5)::float / count(*) as night
       from messages, extract(hour from created_at at time zone 'Asia/Tokyo') as hour`,
    );
    expect(hours['day']).toBeGreaterThan(0.6);
    expect(hours['night']).toBeLessThan(0.05);
  });

  test('cover every month up to the day given, and no day outside', async () => {
    const { rows } = await database.admin.query(
      `select tableoid::regclass::text as month, count(*)::int as n from messages group by 1 order by 1`,
    );
    expect(rows.map(({ month }) => month)).toEqual([
      'messages_y2026m04',
      'messages_y2026m05',
      'messages_y2026m06',
      'messages_y2026m07',
    ]);
    for (const { n } of rows) expect(n).toBeGreaterThan(400);
    for (const table of ['messages', 'conversations', 'files', 'knowledge_base', 'api_usage']) {
      const span = await one(
        `select min(created_at) >= '2026-04-11 00:00Z' as is_after, max(created_at) < '2026-07-11 00:00Z' as is_before from ${table}`,
      );
      expect(span, table).toEqual({ is_after: true, is_before: true });
    }
  });

  test('have embeddings of length 1 that lie nearer to those of their topic', async () => {
    const { dimensions, off } = await one(
      `select min(vector_dims(embedding)) as dimensions, max(abs(vector_norm(embedding) - 1)) as off from knowledge_base`,
    );
    expect(dimensions).toBe(1536);
    expect(off).toBeLessThan(0.0001);
    const near = await one(
      `select avg(a.embedding <=> b.embedding) filter (where a.tags[1] = b.tags[1]) as same,
              avg(a.embedding <=> b.embedding) filter (where a.tags[1] <> b.tags[1]) as other
       from knowledge_base a join knowledge_base b on a.id < b.id`,
    );
    expect(near['same']).toBeLessThan((near['other'] as number) / 2);
  });

  test('are Japanese, and have files and costs', async () => {
    const texts = await one(
      `select count(*) filter (where role = 'tool' or content ~ '[ぁ-んァ-ン]')::float / count(*) as japanese,
              count(*) filter (where content ~ '\\{[a-z]+\\}')::int as unfilled from messages`,
    );
    expect(texts).toEqual({ japanese: expect.any(Number), unfilled: 0 });
    expect(texts['japanese']).toBeGreaterThan(0.9);
    expect(
      await one(`select count(*)::int as n from files f join messages m on m.id = f.message_id
      where f.conversation_id = m.conversation_id and f.created_at >= m.created_at`),
    ).toEqual({ n: 300 });
    const usage = await one(
      `select sum(cost) > 0 as has_cost, count(*) filter (where success = (error_message is not null))::int as odd,
              count(distinct api_name)::int as apis from api_usage`,
    );
    expect(usage).toEqual({ has_cost: true, odd: 0, apis: 5 });
  });

  test('are English with --locale en', async () => {
    const english = await seeded(['--locale', 'en', '--messages', '500', '--embeddings', '0']);
    const { rows } = await english.admin.query(
      `select count(*) filter (where content ~ '[ぁ-んァ-ン一-龥]')::int as japanese, count(*)::int as n from messages`,
    );
    expect(rows).toEqual([{ japanese: 0, n: 500 }]);
  });

  test('are of users whom nobody can log in as, known by their mail domain', async () => {
    const users = await one(
      `select count(distinct password_hash)::int as hashes, min(left(password_hash, 7)) as kind,
              count(*) filter (where email not like '%@demo.example.com')::int as strangers,
              bool_or(verify_password('admin123', password_hash)) as known from (select * from users limit 1) u`,
    );
    expect(users).toEqual({ hashes: 1, kind: '$2a$12$', strangers: 0, known: false });
  });

  test('have been analyzed', async () => {
    const { rows } = await database.admin.query(
      `select relname from pg_class where relname in ('messages', 'users', 'message_keys', 'knowledge_base') and reltuples <= 0`,
    );
    expect(rows).toEqual([]);
  });
});
