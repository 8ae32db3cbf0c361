import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';

const MONTHS = 60;
const id = (month: number): string => `20000000-0000-4000-8000-${String(month).padStart(12, '0')}`;

describeOnServer(`find_message beside ${MONTHS} partitions`, () => {
  let database: ServerDatabase;
  let client: pg.Client;
  let partitionCount = 0;

  // Month 0 is the current one; from month 30 back they are in the archive.
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    const from = await database.admin.query(
      `select to_char(now() at time zone 'UTC' - interval '${MONTHS - 1} months', 'YYYY-MM') as month`,
    );
    const made = await runInProcess(['partitions', 'ensure', '--since', from.rows[0].month, '--ahead', '0'], {
      env: { DATABASE_URL: database.url },
    });
    expect(made.exitCode).toBe(0);
    await database.admin.query(`
      insert into users (id, username, email, password_hash) values ('${id(0)}', 'u', 'u@example.com', 'hash');
      insert into conversations (id, user_id) values ('${id(0)}', '${id(0)}');
      insert into messages (id, conversation_id, role, content, created_at)
      select ('20000000-0000-4000-8000-' || lpad(m::text, 12, '0'))::uuid, '${id(0)}', 'user', 'month ' || m,
             date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - make_interval(months => m)
      from generate_series(0, ${MONTHS - 1}) as m;`);
    const archived = await runInProcess(['archive', '--older-than', '29mo'], { env: { DATABASE_URL: database.url } });
    expect(archived.exitCode).toBe(0);
    const { rows } = await database.admin.query(
      `select count(*)::int as partitions from pg_inherits
       where inhparent in ('messages'::regclass, 'messages_archive'::regclass)`,
    );
    partitionCount = rows[0].partitions;
    client = new pg.Client({ connectionString: database.url, application_name: 'test lookup' });
    await client.connect();
  });
  afterAll(() => client.end());

  /** The partitions this session has touched, when the callback is a transaction's only work. */
  async function partitionsLockedBy(sql: string): Promise<readonly string[]> {
    await client.query('begin');
    await client.query(sql);
    const { rows } = await client.query<{ name: string }>(
      `select c.relname as name
       from pg_locks l
       join pg_class c on c.oid = l.relation
       where l.pid = pg_backend_pid() and c.relispartition and c.relkind = 'r'
       order by 1`,
    );
    await client.query('commit');
    return rows.map(({ name }) => name);
  }

  async function partitionOf(month: number): Promise<string | undefined> {
    const { rows } = await client.query<{ name: string }>(
      `select tableoid::regclass::text as name from messages where id = $1
       union all select tableoid::regclass::text from messages_archive where id = $1`,
      [id(month)],
    );
    return rows[0]?.name;
  }

  /** The plans that ran inside the function, as auto_explain tells them to the client. */
  async function innerPlans(sql: string): Promise<string> {
    const plans: string[] = [];
    const onNotice = ({ message = '' }: { message?: string | undefined }): unknown => plans.push(message);
    client.on('notice', onNotice);
    await client.query(`load 'auto_explain'; begin;
      set local auto_explain.log_min_duration = 0; set local auto_explain.log_analyze = on;
      set local auto_explain.log_nested_statements = on; set local auto_explain.log_timing = off;
      set local client_min_messages = log`);
    await client.query(sql);
    await client.query('commit');
    client.off('notice', onNotice);
    const [inner = ''] = plans.filter((plan) => plan.includes('all_messages'));
    return inner;
  }

  test('finds a live and an archived message with all columns of all_messages, and nothing for an unknown id or null', async () => {
    expect(partitionCount).toBeGreaterThanOrEqual(MONTHS);
    for (const [month, isArchived] of [
      [0, false],
      [5, false],
      [45, true],
      [MONTHS - 1, true],
    ] as const) {
      const { rows } = await client.query('select * from find_message($1)', [id(month)]);
      const whole = await client.query('select * from all_messages where id = $1', [id(month)]);
      expect(rows).toEqual(whole.rows);
      expect(rows).toMatchObject([{ id: id(month), content: `month ${month}`, is_archived: isArchived }]);
    }
    for (const unknown of [id(MONTHS), null])
      expect((await client.query('select * from find_message($1)', [unknown])).rows).toEqual([]);
  });

  test('locks only the partition of the month, and the default one for an archived message, also after many calls', async () => {
    const live = await partitionOf(5);
    const archived = await partitionOf(45);
    for (let call = 0; call < 12; call += 1) {
      expect(await partitionsLockedBy(`select * from find_message('${id(5)}')`)).toEqual([live]);
      expect(await partitionsLockedBy(`select * from find_message('${id(45)}')`)).toEqual([
        archived,
        'messages_default',
      ]);
    }
    expect(await partitionsLockedBy(`select * from find_message('${id(MONTHS)}')`)).toEqual([]);
    // What the function is for.
    expect(await partitionsLockedBy(`select * from all_messages where id = '${id(5)}'`)).toHaveLength(partitionCount);
  });

  test('its plan reads no other partition', async () => {
    for (const [month, partitions] of [
      [5, [await partitionOf(5)]],
      [45, ['messages_default', await partitionOf(45)]],
    ] as const) {
      const plan = await innerPlans(`select * from find_message('${id(month)}')`);
      const scans = [...plan.matchAll(/ on (messages_\S+) /g)].map(([, name]) => name);
      expect(scans, plan).toEqual(partitions);
    }
    expect(await innerPlans(`select * from find_message('${id(MONTHS)}')`)).toBe('');
  });

  test('is not for everybody: no other role may execute it', async () => {
    const { rows } = await client.query(
      `select has_function_privilege('authenticated', 'find_message(uuid)', 'execute') as allowed`,
    );
    expect(rows).toEqual([{ allowed: false }]);
  });
});
