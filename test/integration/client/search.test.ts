import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDatabase, searchKnowledge, withUser, type KnowledgeSearch } from '../../../src/index.js';
import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { createServiceDatabase, userId, type Tables } from './service-role.js';

const ROWS = 3000;

/** A direction that differs from the next one a little, and more with the distance between their numbers. */
const at = (position: number): number[] =>
  Array.from({ length: 1536 }, (_, index) => (index === 0 ? Math.cos(position) : index === 1 ? Math.sin(position) : 0));
const literal = (position: number): string => JSON.stringify(at(position));

describeOnServer('searchKnowledge', () => {
  let database: ServerDatabase;
  let db: Kysely<Tables>;
  let owner: Kysely<Tables>;

  /** User 1 has a third of the rows, user 2 twenty, far from where is searched, user 3 three. */
  beforeAll(async () => {
    const service = await createServiceDatabase(3);
    database = service.database;
    await database.admin.query(
      `insert into knowledge_base (secretary_id, content, source_type, tags, embedding)
       select
         ('10000000-0000-4000-8000-' || lpad(case when n % 150 = 0 then '2' when n % 1000 = 7 then '3' else '1' end, 12, '0'))::uuid,
         'row ' || n, case when n % 2 = 0 then 'even' else 'odd' end, array['n' || n % 5, 'all'],
         (array[cos(n / 1000.0), sin(n / 1000.0)] || array_fill(0::float8, array[1534]))::vector
       from generate_series(1, ${ROWS}) n`,
    );
    await database.admin.query(
      `insert into knowledge_base (secretary_id, content) values ('${userId(1)}', 'no embedding')`,
    );
    await database.admin.query('analyze knowledge_base');
    db = createDatabase<Tables>({ url: service.url, poolSize: 2, maxOverflow: 0 });
    owner = createDatabase<Tables>({ url: database.url, poolSize: 1, maxOverflow: 0 });
  });
  afterAll(() => Promise.all([db.destroy(), owner.destroy()]));

  const numbers = (rows: readonly { content: string }[]): number[] =>
    rows.map(({ content }) => Number(content.slice(4)));
  const asUser = (number: number, search: Omit<KnowledgeSearch, 'embedding'>, position = 1): Promise<number[]> =>
    withUser(db, userId(number), async (trx) =>
      numbers(await searchKnowledge(trx, { embedding: at(position), ...search })),
    );
  const truth = async (condition: string, limit: number): Promise<number[]> =>
    numbers(
      (
        await database.admin.query(
          `select content from knowledge_base where embedding is not null and ${condition} order by (embedding <=> $1::vector) + 0, id limit ${limit}`,
          [literal(1)],
        )
      ).rows as { content: string }[],
    );
  const ofUser = (number: number): string => `secretary_id = '${userId(number)}'`;

  const indexes: readonly [string, string][] = [
    ['ivfflat trained on nothing, as the design document has it', 'select 1'],
    [
      'hnsw',
      'drop index idx_knowledge_base_embedding; create index idx_knowledge_base_embedding on knowledge_base using hnsw (embedding vector_cosine_ops)',
    ],
    [
      'hnsw on halfvec, compared again with the whole embedding',
      'drop index idx_knowledge_base_embedding; create index idx_knowledge_base_embedding on knowledge_base using hnsw ((embedding::halfvec(1536)) halfvec_cosine_ops)',
    ],
    ['no index', 'drop index idx_knowledge_base_embedding'],
  ];
  test.each(indexes)(
    'returns as many rows as there are, nearest first, to each user only their own: %s',
    async (_, change) => {
      await database.admin.query(change);
      // So small a table would be scanned whole; an index is what can go wrong.
      await database.admin.query(`alter database "${database.name}" set enable_seqscan = off`);
      for (const [user, limit, count] of [
        [1, 10, 10],
        [1, 100, 100],
        [2, 10, 10],
        [2, 50, 20],
        [3, 10, 3],
      ] as const) {
        const rows = await asUser(user, { limit });
        expect(rows, `user ${user}, limit ${limit}`).toHaveLength(count);
        const all = await truth(ofUser(user), ROWS);
        expect(rows.every((row) => all.includes(row))).toBe(true);
      }
      expect(await asUser(1, { limit: 20, accuracy: 'exact' })).toEqual(await truth(ofUser(1), 20));
      expect(await asUser(2, { limit: 50 })).toEqual(await truth(ofUser(2), 50));
      expect(await asUser(1, { limit: 30, accuracy: { efSearch: 200, probes: 100 } })).toEqual(
        await truth(ofUser(1), 30),
      );
    },
  );

  test('filters by assistant, kind, tags and any condition, and still has all rows', async () => {
    const exact = { limit: 15, accuracy: 'exact' } as const;
    expect(await asUser(1, { ...exact, assistantId: userId(1) })).toEqual(await truth(ofUser(1), 15));
    expect(await asUser(1, { ...exact, assistantId: userId(2) })).toEqual([]);
    expect(await asUser(1, { limit: 15, sourceType: 'odd' })).toEqual(
      await truth(`${ofUser(1)} and source_type = 'odd'`, 15),
    );
    expect(await asUser(1, { limit: 15, tags: ['n3', 'all'] })).toEqual(
      await truth(`${ofUser(1)} and 'n3' = any (tags)`, 15),
    );
    const condition = sql<boolean>`content like ${'%77'} or false`;
    expect(await asUser(1, { limit: 5, where: condition })).toEqual(
      await truth(`${ofUser(1)} and content like '%77'`, 5),
    );
    expect(await asUser(1, { limit: 1000, maxDistance: 0.00001 })).toHaveLength(9);
  });

  test('gives the columns and the distance, and tells nothing without a user', async () => {
    const [row] = await withUser(db, userId(3), (trx) => searchKnowledge(trx, { embedding: at(1.007), limit: 1 }));
    expect(row).toEqual({
      id: expect.any(String) as string,
      secretary_id: userId(3),
      content: 'row 1007',
      source_type: 'odd',
      source_url: null,
      tags: ['n2', 'all'],
      metadata: null,
      created_at: expect.any(Date) as Date,
      updated_at: expect.any(Date) as Date,
      distance: expect.closeTo(0, 6) as number,
    });
    await expect(searchKnowledge(db, { embedding: at(1) })).rejects.toMatchObject({ code: '42501' });
  });

  test('searches the knowledge of everybody where no row-level security is in force', async () => {
    const rows = await searchKnowledge(owner, { embedding: at(1), limit: 200, accuracy: 'exact' });
    expect(numbers(rows)).toEqual(await truth('true', 200));
  });

  test('leaves nothing behind: the next transaction has the settings of the database', async () => {
    await searchKnowledge(owner, { embedding: at(1), accuracy: { efSearch: 333, probes: 33 } });
    const { rows } =
      await sql`select current_setting('hnsw.ef_search') as ef, current_setting('ivfflat.probes') as probes`.execute(
        owner,
      );
    expect(rows).toEqual([{ ef: '40', probes: '1' }]);
  });

  test.each([
    [{ limit: 0 }, 'limit is 0'],
    [{ limit: 1.5 }, 'limit is 1.5'],
    [{ maxDistance: Number.NaN }, 'maxDistance is NaN'],
    [{ accuracy: { efSearch: 5000 } }, 'efSearch is 5000'],
    [{ accuracy: { probes: 0 } }, 'probes is 0'],
  ])('refuses %j before anything is sent', async (options, what) => {
    await expect(asUser(1, options)).rejects.toMatchObject({ code: 'USAGE', message: `searchKnowledge: ${what}` });
  });

  test('leaves the settings of the transaction as they were', async () => {
    const names = ['hnsw.ef_search', 'hnsw.iterative_scan', 'ivfflat.probes', 'ivfflat.iterative_scan'];
    await withUser(db, userId(1), async (trx) => {
      const shown = async (): Promise<unknown> =>
        (await sql`select name, current_setting(name) as value from unnest(${names}::text[]) as name`.execute(trx))
          .rows;
      // The settings of an extension exist when it was loaded.
      await sql`select '[1]'::vector <=> '[1]'::vector`.execute(trx);
      await sql`set local ivfflat.probes = 3`.execute(trx);
      const before = await shown();
      await searchKnowledge(trx, { embedding: at(1), accuracy: { probes: 7, efSearch: 77 } });
      expect(await shown()).toEqual(before);
    });
  });
});
