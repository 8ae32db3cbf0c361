import { describe, expect, test } from 'vitest';

import { viewColumns } from '../../../../src/features/types/view-columns.js';

const TABLES: Readonly<Record<string, readonly { name: string; isNullable: boolean }[]>> = {
  users: [
    { name: 'id', isNullable: false },
    { name: 'nick', isNullable: true },
  ],
  posts: [
    { name: 'id', isNullable: false },
    { name: 'user_id', isNullable: false },
  ],
};

async function nullable(sql: string): Promise<readonly boolean[]> {
  return (await viewColumns(sql, (relation) => TABLES[relation])).map(({ isNullable }) => isNullable);
}

describe('A column of a view', () => {
  test.each<[string, string, readonly boolean[]]>([
    ['follows the column it shows', 'select id, nick from users', [false, true]],
    ['is found by the alias', 'select u.id, u.nick from users u', [false, true]],
    [
      'may be null on the right of a left join',
      'select u.id, p.id from users u left join posts p on true',
      [false, true],
    ],
    [
      'may be null on the left of a right join',
      'select u.id, p.id from users u right join posts p on true',
      [true, false],
    ],
    [
      'may be null on both sides of a full join',
      'select u.id, p.id from users u full join posts p on true',
      [true, true],
    ],
    [
      'stays nullable through an inner join inside the optional side',
      'select a.id, p.id from users a left join (users u join posts p on true) on true',
      [false, true],
    ],
    [
      'is never null as a count or a constant',
      "select count(*), count(nick), false, 'x'::text from users",
      [false, false, false, false],
    ],
    ['may be null as any other aggregate', 'select max(id), sum(1) from users', [true, true]],
    [
      'is never null as coalesce with a constant',
      "select coalesce(nick, 'x'), coalesce(nick, null) from users",
      [false, true],
    ],
    ['is never null in a union when it is not in both', 'select id from users union all select id from posts', [false]],
    ['may be null in a union when it may in one', 'select id from posts union all select nick from users', [true]],
    ['may be null with rollup', 'select id, count(*) from users group by rollup (id)', [true, true]],
    ['is unknown through a subquery', 'select s.id from (select id from users) s', [true]],
    ['is unknown with a CTE of the same name', 'with users as (select null as id) select users.id from users', [true]],
    ['is unknown without an alias in a join', 'select id from users, posts', [true]],
  ])('%s', async (_title, sql, expected) => {
    expect(await nullable(sql)).toEqual(expected);
  });
});
