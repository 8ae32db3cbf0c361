import { expect, test } from 'vitest';

import { planGlobals } from '../../../../../src/features/backup/contents/globals.js';

const GLOBALS = `\\restrict abc123
SET client_encoding = 'UTF8';
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN;
CREATE ROLE "Odd ""one";
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER;
ALTER ROLE app SET search_path TO 'app', 'public';
ALTER ROLE app IN DATABASE old SET work_mem TO '8MB';
CREATE TABLESPACE fast OWNER postgres LOCATION '/fast';
GRANT app TO "Odd ""one" WITH INHERIT TRUE GRANTED BY postgres;
GRANT postgres TO present GRANTED BY "some body";
\\unrestrict abc123
`;

test('of a globals file only the roles that are missing are taken, with attributes, settings and memberships', async () => {
  expect(await planGlobals(GLOBALS, new Set(['postgres', 'present']))).toEqual({
    roles: ['app', 'Odd "one'],
    statements: [
      'CREATE ROLE app',
      'ALTER ROLE app WITH NOSUPERUSER LOGIN',
      'CREATE ROLE "Odd ""one"',
      "ALTER ROLE app SET search_path TO 'app', 'public'",
      'GRANT app TO "Odd ""one" WITH INHERIT TRUE',
    ],
  });
  expect((await planGlobals(GLOBALS, new Set(['app', 'Odd "one', 'postgres']))).statements).toEqual([]);
});

test('a file that is not SQL is refused', async () => {
  await expect(planGlobals('create role;', new Set())).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
});
