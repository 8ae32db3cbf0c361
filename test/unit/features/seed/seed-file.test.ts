import { describe, expect, test } from 'vitest';

import { parseSeedFile } from '../../../../src/features/seed/seed-file.js';

describe('a seed file', () => {
  test('is read as statements, each with its action, table and place', async () => {
    const sql =
      "-- people\r\ninsert into a values ('ö;');\r\nwith b as (select 1)\r\nupdate c set d = 1; delete from e;";
    const { file } = await parseSeedFile('s/01-a.sql', '01-a.sql', sql);
    expect(file?.statements).toEqual([
      { action: 'insert', table: 'a', text: "insert into a values ('ö;')", offset: 11, takesPassword: false },
      { action: 'update', table: 'c', text: expect.stringContaining('with b'), offset: 41, takesPassword: false },
      { action: 'delete', table: 'e', text: 'delete from e', offset: 83, takesPassword: false },
    ]);
  });

  test('takes the password where a statement reads it, not where a comment tells of it', async () => {
    const sql =
      "-- from aisec.admin_password\ninsert into a values (1);\ninsert into b values (current_setting('aisec.admin_password'));";
    const { file } = await parseSeedFile('s/01-a.sql', '01-a.sql', sql);
    expect(file?.statements.map(({ table, takesPassword }) => [table, takesPassword])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });

  test.each([
    ['nothing in it', ' \n', 'the file is empty', 1],
    ['comments only', '-- soon\n', 'the file has comments only', 1],
    ['a NUL character', 'insert into a values (1);\n\0', 'the file has a NUL character', 2],
    ['a syntax error', 'insert into a values (1);\nisnert into b;', 'syntax error at or near "isnert"', 2],
    ['a COMMIT', 'insert into a values (1);\n\n  commit;', 'insert, update, delete and merge statements only', 3],
    ['a SET', 'set search_path = x;', 'insert, update, delete and merge statements only', 1],
    ['a DO block', 'do $$ begin commit; end $$;', 'insert, update, delete and merge statements only', 1],
    ['a new table', 'create table a (b int);', 'insert, update, delete and merge statements only', 1],
  ])('with %s is refused with its line', async (_title, sql, message, line) => {
    const { file, problems } = await parseSeedFile('s/01-a.sql', '01-a.sql', sql);
    expect(file).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ message: expect.stringContaining(message), line })]);
  });

  test('may begin with a byte order mark', async () => {
    const { file } = await parseSeedFile('s/01-a.sql', '01-a.sql', '\uFEFFinsert into a values (1);');
    expect(file?.statements).toHaveLength(1);
  });
});
