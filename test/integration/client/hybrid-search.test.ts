import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  createDatabase,
  searchKnowledge,
  withUser,
  type KnowledgeSearch,
  type RankedMatch,
} from '../../../src/index.js';
import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { createServiceDatabase, userId, type Tables } from './service-role.js';

const at = (position: number): number[] =>
  Array.from({ length: 1536 }, (_, index) => (index === 0 ? Math.cos(position) : index === 1 ? Math.sin(position) : 0));

/** What user 1 knows, by a short name. */
const TEXTS: Readonly<Record<string, string>> = {
  kamakura: '鎌倉の紫陽花は六月が見頃です。',
  yokohama: '横浜の港は夜景が有名です。',
  puppy: '子犬のワクチンは生後八週からです。',
  dog: '犬は朝と夕方に散歩します。',
  printer: 'プリンターの紙詰まりは背面から直します。',
  gas: 'ガスの元栓は玄関にあります。',
  code: 'エラーＥ－４０２１は宛名が空のときに出ます。',
  invoice: 'Invoices are paid within thirty days of their receipt.',
  study: 'She studies the encryption of backups.',
  cafe: 'The Café ÉLAN is closed on Mondays.',
};

describeOnServer('searchKnowledge by words', () => {
  let database: ServerDatabase;
  let db: Kysely<Tables>;
  let owner: Kysely<Tables>;

  beforeAll(async () => {
    const service = await createServiceDatabase(4);
    database = service.database;
    const insert = `insert into knowledge_base (secretary_id, content, source_type, tags, embedding) values ($1, $2, $3, $4, $5)`;
    for (const [place, [name, text]] of Object.entries(TEXTS).entries())
      await database.admin.query(insert, [userId(1), text, name, ['mine'], JSON.stringify(at(place / 10))]);
    await database.admin.query(insert, [userId(2), '鎌倉の秘密の紫陽花', 'secret', null, null]);
    await database.admin.query(
      `insert into knowledge_base (secretary_id, content, tags)
       select $1, n || '番の書類は倉庫の棚にあります。', array['n' || n % 100]
       from generate_series(1, 2000) n`,
      [userId(3)],
    );
    await database.admin.query('analyze knowledge_base');
    await database.admin.query(`alter database "${database.name}" set track_functions = 'all'`);
    db = createDatabase<Tables>({ url: service.url, poolSize: 2, maxOverflow: 0 });
    owner = createDatabase<Tables>({ url: database.url, poolSize: 1, maxOverflow: 0 });
  });
  afterAll(() => Promise.all([db.destroy(), owner.destroy()]));

  const find = (number: number, search: KnowledgeSearch): Promise<RankedMatch[]> =>
    withUser(db, userId(number), (trx) => searchKnowledge(trx, search));
  const names = async (search: KnowledgeSearch, number = 1): Promise<string[]> =>
    (await find(number, search)).map(({ source_type }) => String(source_type));

  test.each([
    ['a word inside of a Japanese sentence', '紫陽花', ['kamakura']],
    ['a question with words in between', '鎌倉で紫陽花を見たい', ['kamakura']],
    ['a single character, at the beginning of a word or at its end', '犬', ['dog', 'puppy']],
    ['katakana of half width', 'ﾌﾟﾘﾝﾀｰ', ['printer']],
    ['katakana with a mark of its own', 'カ\u3099ス', ['gas']],
    ['a code in another width', 'E-4021', ['code']],
    ['a full-width code', 'Ｅ－４０２１', ['code']],
    ['an English word in another form', 'INVOICE', ['invoice']],
    ['an English word whose stem is not its beginning', 'study', ['study']],
    ['capitals outside of ASCII', 'café élan', ['cafe']],
  ])('finds %s', async (_, text, found) => {
    expect((await names({ text })).toSorted()).toEqual(found);
  });

  test('gives the columns, no distance, and a score; the best first', async () => {
    const [first, ...others] = await find(1, { text: '犬の散歩' });
    expect(first).toEqual({
      id: expect.any(String) as string,
      secretary_id: userId(1),
      content: TEXTS['dog'],
      source_type: 'dog',
      source_url: null,
      tags: ['mine'],
      metadata: null,
      created_at: expect.any(Date) as Date,
      updated_at: expect.any(Date) as Date,
      distance: null,
      score: expect.any(Number) as number,
    });
    expect(others.every(({ score }) => score < (first?.score ?? 0))).toBe(true);
  });

  test('shows each user the own rows only, and nobody what others have by the score', async () => {
    expect(await names({ text: '紫陽花' }, 2)).toEqual(['secret']);
    expect(await names({ text: '紫陽花' }, 4)).toEqual([]);
    expect(await names({ text: '紫陽花', assistantId: userId(2) })).toEqual([]);
    const [before] = await find(1, { text: '紫陽花' });
    const { rows } = await database.admin.query(
      `insert into knowledge_base (secretary_id, content) select $1, '紫陽花' from generate_series(1, 50) returning id`,
      [userId(2)],
    );
    const [after] = await find(1, { text: '紫陽花' });
    expect(after?.score).toBe(before?.score);
    await database.admin.query('delete from knowledge_base where id = any ($1)', [
      (rows as { id: string }[]).map(({ id }) => id),
    ]);
    const direct = await withUser(db, userId(1), (trx) =>
      sql<{ id: string }>`select id from aisec_match_own_knowledge('{秘密}', ${[userId(2)]}::uuid[], 10)`.execute(trx),
    );
    expect(direct.rows).toEqual([]);
    await expect(searchKnowledge(db, { text: '紫陽花' })).rejects.toMatchObject({ code: '42501' });
  });

  test('searches everything where no row-level security is in force', async () => {
    const rows = await searchKnowledge(owner, { text: '紫陽花' });
    expect(rows.map(({ source_type }) => String(source_type)).toSorted()).toEqual(['kamakura', 'secret']);
  });

  test.each([1, 3])('asks the index, and cuts no text into terms but the question: user %i', async (user) => {
    await withUser(db, userId(user), async (trx) => {
      const calls = async (): Promise<number> => {
        const { rows } = await sql<{ calls: number }>`
          select coalesce(sum(calls), 0)::int as calls
          from pg_stat_xact_user_functions
          where funcname = 'aisec_text_terms'`.execute(trx);
        return rows[0]?.calls ?? 0;
      };
      const before = await calls();
      await searchKnowledge(trx, { text: '倉庫の棚の書類' });
      expect(await calls()).toBe(before + 1);
    });
  });

  test('filters, and still has as many rows as are wanted', async () => {
    expect(await find(3, { text: '倉庫の書類', tags: ['n7'], limit: 15 })).toHaveLength(15);
    const found = await find(3, { text: '倉庫の書類', where: sql<boolean>`content like ${'77番%'} or false` });
    expect(found.map(({ content }) => content)).toEqual(['77番の書類は倉庫の棚にあります。']);
    expect(await names({ text: '紫陽花', sourceType: 'dog' })).toEqual([]);
    expect(await names({ text: '紫陽花', assistantId: userId(1), tags: ['mine'] })).toEqual(['kamakura']);
  });

  test('with an embedding as well, what both find comes first, and what one of them finds is there', async () => {
    const position = Object.keys(TEXTS).indexOf('gas') / 10;
    const matches = await find(1, { text: 'ガスと横浜', embedding: at(position) });
    expect(matches[0]).toMatchObject({ source_type: 'gas', distance: expect.closeTo(0, 6) });
    expect(matches.slice(0, 3).map(({ source_type }) => source_type)).toContain('yokohama');
    expect(matches).toHaveLength(10);
    await database.admin.query(
      `insert into knowledge_base (secretary_id, content, source_type) values ($1, '温泉旅館の予約', 'inn')`,
      [userId(1)],
    );
    const inn = (await find(1, { text: '温泉', embedding: at(0) })).find(({ source_type }) => source_type === 'inn');
    expect(inn).toMatchObject({ distance: null, score: expect.closeTo(1 / 61, 6) });
    const close = await names({ text: '温泉', embedding: at(0), maxDistance: 0.000001 });
    expect(close.toSorted()).toEqual(['inn', 'kamakura']);
    expect(await find(4, { text: '温泉', embedding: at(0) })).toEqual([]);
  });

  test('a search by meaning is as before, whatever text has no words', async () => {
    const near = await names({ embedding: at(0.3), accuracy: 'exact' });
    expect(await names({ embedding: at(0.3), text: '、。!?', accuracy: 'exact' })).toEqual(near);
  });

  test.each([
    ['nothing', ''],
    ['punctuation', '、。「」 !?&|<->:*()\'"\\'],
    ['operators', "紫陽花' & !x:* | (y <-> z) \\"],
    ['NUL', '紫\0陽花'],
    ['half of a character', '\ud800紫陽花\udfff'],
    ['an emoji', '🐕'],
    ['two megabytes', '紫陽花'.repeat(250_000)],
    ['a long word', 'a'.repeat(1_000_000)],
    ['many words', Array.from({ length: 5000 }, (_, number) => `w${number}`).join(' ')],
    ['statistics', "'); drop table knowledge_base; --"],
  ])('is not harmed by %s', async (_, text) => {
    const found = await names({ text });
    expect(found.every((name) => name === 'kamakura')).toBe(true);
  });

  test.each([
    [{}, 'neither embedding nor text is given'],
    [{ text: 5 as unknown as string }, 'text is not a string'],
    [{ text: 'x', limit: 0 }, 'limit is 0'],
  ])('refuses %j before anything is sent', async (search, what) => {
    await expect(find(1, search)).rejects.toMatchObject({ code: 'USAGE', message: `searchKnowledge: ${what}` });
  });

  describe('whoever writes', () => {
    const insert = 'insert into public.knowledge_base (secretary_id, content, source_type) values ($1, $2, $3)';

    test('texts of any size, which are found by what their first 100,000 characters hold', async () => {
      const every = Array.from({ length: 150_000 }, (_, number) =>
        String.fromCodePoint(0x4e00 + ((number * 7) % 20_000)),
      );
      await database.admin.query(insert, [userId(1), `前半の目印${every.join('')}後半の目印`, 'long']);
      await database.admin.query(insert, [userId(1), 'b'.repeat(500_000), 'word']);
      await database.admin.query(insert, [userId(1), 'ﷺ'.repeat(100_000), 'growing']);
      expect(await names({ text: '前半' })).toEqual(['long']);
      expect(await names({ text: 'b'.repeat(64) })).toEqual(['word']);
    });

    test('a role with nothing but INSERT, and a session without a search_path, as pg_restore has it', async () => {
      const role = `${database.name}_writer`;
      await database.admin.query(`create role "${role}"; grant insert on knowledge_base to "${role}"`);
      await database.admin.query(`create policy writer on knowledge_base for insert to "${role}" with check (true)`);
      await database.admin.query(`begin; set local search_path = ''; set local role "${role}"`);
      await database.admin.query(insert, [userId(1), '書き手の紫煙', 'writer']);
      await database.admin.query('commit');
      expect(await names({ text: '紫煙' })).toEqual(['writer']);
      await database.admin.query(`drop policy writer on knowledge_base; drop owned by "${role}"; drop role "${role}"`);
    });
  });

  test('without its index it fails, rather than cut every text into terms', async () => {
    await database.admin.query('drop index idx_knowledge_base_terms');
    await expect(find(1, { text: '紫陽花' })).rejects.toMatchObject({
      code: '55000',
      message: 'the index idx_knowledge_base_terms is missing or INVALID',
    });
    expect(await find(1, { embedding: at(0) })).toHaveLength(10);
  });
});
