import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';

import { createTestDatabase, type TestDatabase } from '../../../src/testing/index.js';
import * as validators from '../../../src/zod/index.js';
import { cacheDirOfRun } from '../../support/run-in-process.js';

interface Column {
  readonly relation: string;
  readonly name: string;
  readonly type: string;
  readonly length: number | null;
  readonly is_required: boolean;
}

const COLUMNS = sql<Column>`
  select class.relname::text as relation, attname::text as name, format_type(atttypid, null) as type,
         case when atttypid = 'varchar'::regtype then atttypmod - 4 end as length,
         attnotnull and not atthasdef as is_required
  from pg_attribute join pg_class as class on class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    and attnum > 0 and not attisdropped and attgenerated = ''
    and has_table_privilege('authenticated', class.oid, 'select')
  order by class.relname, attnum`;

/** Where the name of the validator is not that of the table. */
const NAMES: Readonly<Record<string, string>> = {
  api_usage: 'newApiUsage',
  files: 'newStoredFile',
  knowledge_base: 'newKnowledge',
  messages_archive: 'newArchivedMessage',
  user_preferences: 'newUserPreferences',
};

function validatorOf(relation: string): z.ZodObject {
  const words = relation.replace(/ies$/, 'y').replace(/s$/, '').split('_');
  const name = NAMES[relation] ?? `new${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
  const found = (validators as Readonly<Record<string, unknown>>)[name];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found as z.ZodObject;
}

const embedding = (length: number, first = 0.5): number[] => [first, ...Array<number>(length - 1).fill(0.25)];

/** Values of the type that Kysely takes for the column, right ones and wrong ones. */
function candidates({ type, length, name }: Column): readonly unknown[] {
  const most = length ?? 300;
  switch (type) {
    case 'text':
    case 'character varying':
      return [
        '',
        ' ',
        '\u3000',
        '\u00A0',
        '\t\n',
        'a',
        'a\0',
        'user',
        'robot',
        '日本語',
        'a'.repeat(most),
        `${'a'.repeat(most)}b`,
        `${'a'.repeat(most)}   `,
        '😀'.repeat(most),
        `${'😀'.repeat(most)}x`,
      ];
    case 'integer':
      return [0, 1, -1, 1.5, 2 ** 31 - 1, 2 ** 31, -(2 ** 31)];
    case 'numeric':
      return [0, 1.5, -1, 1e6, 1e-9, -0.00001, '999999.9999', '999999.99995', '-0.0001', '1e3', 'abc', '', '1.', '.5'];
    case 'boolean':
      return [true, false];
    case 'uuid':
      return [
        '10000000-0000-4000-8000-000000000001',
        '00000000-0000-0000-0000-000000000000',
        'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6',
        'f81d4fae',
        '',
      ];
    case 'timestamp with time zone':
      return [new Date(0), '2026-11-25T10:00:00Z', '2026-11-25T10:00:00.123456+09:00', '2026-02-30T10:00:00Z', 'soon'];
    case 'text[]':
      return [[], ['a'], ['a,b', '{"c"}', '\\', ''], ['a\0']];
    case 'jsonb':
      return name === 'value'
        ? ['{"a":1}', '[1]', 'null', '"x"', 'nope', '"\\u0000"', '']
        : [{}, { a: [1, null, { b: 'x' }] }, { a: undefined }, { a: 'x\0' }, { 'k\0': 1 }, [1]];
    case 'vector':
      return [embedding(1536), embedding(3), embedding(1536, Number.NaN), embedding(1536, 1e39)];
    default:
      throw new Error(`no candidates for ${type}`);
  }
}

describe('the validators of aisec/zod', () => {
  let database: TestDatabase;
  let columns: readonly Column[];
  beforeAll(async () => {
    database = await createTestDatabase({ cacheDir: cacheDirOfRun() });
    ({ rows: columns } = await COLUMNS.execute(database.admin));
    // The archive has the partitions that months were moved into, and here none was.
    await sql`create table messages_archive_any partition of messages_archive default`.execute(database.admin);
  });
  afterAll(async () => database.close());

  /** Undefined when PostgreSQL takes the row; a row that refers to none (23503) has got past the rules of its columns. */
  async function refusal(relation: string, row: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    const done = new Error('done');
    const insert = database.admin.transaction().execute(async (trx) => {
      await trx
        .insertInto(relation as 'users')
        .values(row as never)
        .execute();
      throw done;
    });
    return insert.catch((error: unknown) => {
      const { code } = error as { code?: string };
      return error === done || code === '23503' ? undefined : String(error);
    });
  }

  test('take for every column what PostgreSQL takes, and nothing else', async () => {
    const relations = [...new Set(columns.map(({ relation }) => relation))];
    expect(relations.length).toBeGreaterThan(12);
    const differences: string[] = [];
    let [taken, refused] = [0, 0];
    for (const relation of relations) {
      const own = columns.filter((column) => column.relation === relation);
      const insert = validatorOf(relation);
      const base = Object.fromEntries(
        own
          .filter((column) => column.is_required)
          .map((column) => {
            const fitting = candidates(column).find((value) => insert.shape[column.name]?.safeParse(value).success);
            return [column.name, fitting];
          }),
      );
      for (const column of own) {
        for (const value of [...candidates(column), null, undefined]) {
          const row = { ...base, [column.name]: value };
          const checked = insert.safeParse(row);
          const sent: Record<string, unknown> = checked.success ? checked.data : row;
          if (Array.isArray(sent[column.name]) && column.type === 'vector') sent[column.name] = `[${String(value)}]`;
          const error = await refusal(relation, sent);
          if (error === undefined) taken += 1;
          else refused += 1;
          const update = insert.partial().safeParse({ [column.name]: value }).success;
          const isUpdateRight = update === (value === undefined || error === undefined);
          if (checked.success !== (error === undefined) || !isUpdateRight)
            differences.push(
              `${relation}.${column.name} ${JSON.stringify(value)}: ${error} | ${checked.error?.message}`,
            );
        }
      }
    }
    expect(differences).toEqual([]);
    expect(taken).toBeGreaterThan(400);
    expect(refused).toBeGreaterThan(200);
  });

  test('refuse columns that are not there', () => {
    const user = { username: 'ada', email: 'ada@example.com', password_hash: 'x' };
    expect(validators.newUser.safeParse(user).success).toBe(true);
    expect(validators.newUser.safeParse({ ...user, is_admin: true }).success).toBe(false);
    expect(validators.userUpdate.safeParse({ is_admin: true }).success).toBe(false);
  });
});

describe('the validators of columns that no table of the package has', () => {
  test.each([
    ['bigint', validators.bigintColumn(), [0, -5n, '9223372036854775807'], [2 ** 53, '9223372036854775808', 1.5, 'x']],
    ['smallint', validators.integerColumn(16), [-32_768, 32_767], [32_768, 0.5]],
    ['date', validators.dateColumn(), ['2024-02-29'], ['2026-02-29', '29.2.2024', '']],
    ['numeric', validators.numericColumn(), [1e300, '0.1', 'NaN', '-Infinity'], ['', 'nan', '1,5']],
    ['numeric(4,1)', validators.numericColumn([4, 1]), ['999.94', 1], ['999.95', 'NaN', 'Infinity']],
  ])('%s', (_type, validator, right, wrong) => {
    expect(right.filter((value) => !validator.safeParse(value).success)).toEqual([]);
    expect(wrong.filter((value) => validator.safeParse(value).success)).toEqual([]);
  });
});
