import { CamelCasePlugin, type Kysely } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDatabase, listMessages, searchKnowledge, streamMessages, withUser } from '../../../src/index.js';
import { describeOnServer } from '../../support/database.js';
import { createServiceDatabase, userId, type ServiceDatabase, type Tables } from './service-role.js';

const MONTHS = 14;
const ROWS = 230;

describeOnServer('the messages of a conversation', () => {
  let service: ServiceDatabase;
  let db: Kysely<Tables>;
  let conversationId = '';
  let wanted: readonly string[] = [];

  beforeAll(async () => {
    service = await createServiceDatabase(2);
    const { admin } = service.database;
    await admin.query(`select ensure_message_partitions(0, (now() - interval '${MONTHS} months')::date)`);
    const { rows } = await admin.query(`select id from conversations where user_id = '${userId(1)}' limit 1`);
    conversationId = rows[0].id;
    // Several of one microsecond, and neighbours that differ by one.
    await admin.query(
      `insert into messages (conversation_id, role, content, created_at)
       select $1::uuid, 'user', 'message ' || n,
         now() - interval '${MONTHS - 1} months' * ((n / 3)::float8 / ${Math.ceil(ROWS / 3)}) + (n % 3 / 2) * interval '1 microsecond'
       from generate_series(0, ${ROWS - 1}) n`,
      [conversationId],
    );
    await admin.query('select archive_old_messages()');
    expect((await admin.query('select from messages_archive')).rowCount).toBeGreaterThan(50);
    const all = await admin.query(
      'select id from all_messages where conversation_id = $1 order by created_at desc, id desc',
      [conversationId],
    );
    wanted = all.rows.map(({ id }: { id: string }) => id);
    db = createDatabase<Tables>({ url: service.url, poolSize: 2, maxOverflow: 0, plugins: [new CamelCasePlugin()] });
  });
  afterAll(() => db.destroy());

  test.each([1, 7, 50, 1000])('come in pages of %i, live and archived, each once, the newest first', async (limit) => {
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await withUser(db, userId(1), (trx) => listMessages(trx, { conversationId, before, limit }));
      expect(page.messages.length).toBeLessThanOrEqual(limit);
      seen.push(...page.messages.map(({ id }) => id));
      before = page.next ?? undefined;
      if (limit === 1 && seen.length > 20) break;
    } while (before !== undefined);
    expect(seen).toEqual(limit === 1 ? wanted.slice(0, seen.length) : wanted);
  });

  test('of far-off years, a microsecond apart, come each once in pages of one', async () => {
    const { admin } = service.database;
    const { rows } = await admin.query(
      `with made as (insert into conversations (user_id) values ($1) returning id)
       insert into messages (conversation_id, role, created_at)
       select made.id, 'user', at::timestamptz
       from made, unnest(array[
         '9999-12-31 23:59:59.999999Z', '9999-12-31 23:59:59.999998Z', '2300-01-01 00:00:00.000001Z', '1500-01-01 00:00:00.000003Z',
         '0001-01-01 00:00:00.000001Z', '0044-03-15 00:00:00Z BC'
       ]) as at
       returning conversation_id, id`,
      [userId(1)],
    );
    const own = String(rows[0]?.conversation_id);
    const seen: string[] = [];
    await withUser(db, userId(1), async (trx) => {
      for await (const { id } of streamMessages(trx, { conversationId: own, pageSize: 1 })) {
        seen.push(id);
        if (seen.length > rows.length) break;
      }
    });
    expect(seen).toEqual(rows.map(({ id }: { id: string }) => id));
    await admin.query('delete from conversations where id = $1', [own]);
  });

  test('come as a stream that may be left at any time, with the columns of the table whatever the plugins', async () => {
    const seen = await withUser(db, userId(1), async (trx) => {
      const ids: string[] = [];
      for await (const message of streamMessages(trx, { conversationId, pageSize: 20 })) {
        expect(Object.keys(message)).toEqual(
          expect.arrayContaining(['id', 'conversation_id', 'role', 'content', 'created_at']),
        );
        ids.push(message.id);
        if (ids.length === 130) break;
      }
      return ids;
    });
    expect(seen).toEqual(wanted.slice(0, 130));
  });

  test('are nobody else’s', async () => {
    const page = await withUser(db, userId(2), (trx) => listMessages(trx, { conversationId }));
    expect(page).toEqual({ messages: [], next: null });
  });

  test('refuse a cursor and a limit that cannot be', async () => {
    await expect(listMessages(db, { conversationId, before: `1'; drop table messages --` })).rejects.toMatchObject({
      code: 'USAGE',
    });
    await expect(listMessages(db, { conversationId, limit: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(listMessages(db, { conversationId, limit: 1.5 })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('searchKnowledge returns the columns of the table whatever the plugins', async () => {
    const embedding = Array.from({ length: 1536 }, (_, index) => index + 1);
    await service.database.admin.query(
      `insert into knowledge_base (secretary_id, content, embedding, metadata) values ($1, 'c', $2, '{"inner_key": 1}')`,
      [userId(1), JSON.stringify(embedding)],
    );
    const [match] = await withUser(db, userId(1), (trx) => searchKnowledge(trx, { embedding }));
    expect(match).toMatchObject({ secretary_id: userId(1), metadata: { inner_key: 1 } });
  });
});
