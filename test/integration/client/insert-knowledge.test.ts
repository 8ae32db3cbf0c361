import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { createDatabase, insertKnowledge, searchKnowledge, withUser, type KnowledgeRow } from '../../../src/index.js';
import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { createServiceDatabase, userId, type Tables } from './service-role.js';

const at = (position: number): number[] =>
  Array.from({ length: 1536 }, (_, index) => Math.cos(position * (index + 1)) / 40);

describeOnServer('insertKnowledge', () => {
  let database: ServerDatabase;
  let db: Kysely<Tables>;

  beforeAll(async () => {
    const service = await createServiceDatabase(2);
    database = service.database;
    db = createDatabase<Tables>({ url: service.url, poolSize: 2, maxOverflow: 0 });
  });
  afterAll(() => db.destroy());
  beforeEach(() => database.admin.query('truncate knowledge_base'));

  const rowsOf = (count: number): KnowledgeRow[] =>
    Array.from({ length: count }, (_, number) => ({
      secretary_id: userId(1),
      content: `row ${number}`,
      embedding: at(number),
    }));
  const insert = (rows: readonly KnowledgeRow[]): Promise<string[]> =>
    withUser(db, userId(1), (trx) => insertKnowledge(trx, rows));
  const count = async (): Promise<number> =>
    ((await database.admin.query('select count(*)::int as count from knowledge_base')).rows as { count: number }[])[0]
      ?.count ?? -1;

  test('inserts more rows than fit one statement, and returns their ids in order', async () => {
    const ids = await insert(rowsOf(700));
    const { rows } = await database.admin.query(
      `select content from unnest($1::uuid[]) with ordinality as given (id, place) join knowledge_base using (id) order by place`,
      [ids],
    );
    expect((rows as { content: string }[]).map(({ content }) => content)).toEqual(
      rowsOf(700).map(({ content }) => content),
    );
    const [nearest] = await withUser(db, userId(1), (trx) =>
      searchKnowledge(trx, { embedding: at(77), accuracy: 'exact', limit: 1 }),
    );
    expect(nearest).toMatchObject({ id: ids[77], distance: expect.closeTo(0, 5) as number });
  });

  test('takes every column, and leaves out what is not given', async () => {
    const id = '90000000-0000-4000-8000-000000000001';
    const row = {
      id,
      secretary_id: userId(1),
      content: `引用符 " ' \\ 改行\n`,
      source_type: 'note',
      source_url: 'https://x.example',
      tags: ['a,b', '"c"', 'null'],
      metadata: { page: 3, inner: [null, 'x'] },
    };
    expect(await insert([row, { secretary_id: userId(1), content: '' }])).toHaveLength(2);
    const { rows } = await database.admin.query('select * from knowledge_base order by content desc');
    expect(rows[0]).toMatchObject({ ...row, embedding: null, created_at: expect.any(Date) as Date });
    expect(rows[1]).toMatchObject({ content: '', tags: null, metadata: null, source_type: null });
    expect(await insert([])).toEqual([]);
  });

  test.each([
    ['an embedding of another length', { embedding: [1, 2, 3] }, 'the embedding has 3 dimensions'],
    ['a number that is none', { embedding: at(1).with(5, Number.NaN) }, 'the embedding has NaN at position 5'],
    ['no content', { content: undefined as unknown as string }, 'content is not a string'],
  ])('refuses %s before anything is sent, and names the row', async (_, part, what) => {
    const rows = rowsOf(3);
    const [first, second, third] = rows as [KnowledgeRow, KnowledgeRow, KnowledgeRow];
    await expect(insert([first, { ...second, ...part }, third])).rejects.toMatchObject({
      code: 'USAGE',
      message: `insertKnowledge: row 1: ${what}`,
    });
    expect(await count()).toBe(0);
  });

  test.each([
    ["another user's assistant", { secretary_id: userId(2) }, '42501'],
    ['a value that is too long', { source_type: 'x'.repeat(51) }, '22001'],
    ['a character that PostgreSQL does not have', { content: 'a\0b' }, '22P05'],
  ])('names the row that PostgreSQL refuses, and inserts none: %s', async (_, part, code) => {
    const rows = rowsOf(20);
    rows[13] = { ...(rows[13] as KnowledgeRow), ...part };
    await expect(insert(rows)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^insertKnowledge: row 13: /) as string,
    });
    expect(await count()).toBe(0);
  });

  test('leaves the transaction of its caller usable when it fails', async () => {
    await withUser(db, userId(1), async (trx) => {
      await insertKnowledge(trx, rowsOf(2));
      await insertKnowledge(trx, [{ secretary_id: userId(2), content: 'x' }]).catch(() => undefined);
      await sql`update knowledge_base set source_type = 'kept'`.execute(trx);
    });
    expect(await count()).toBe(2);
  });
});
