import { expect, test } from 'vitest';

import { databaseStatements } from '../../../../../src/features/backup/restore/database/database-statements.js';

const SCRIPT = `CREATE DATABASE "my app" WITH TEMPLATE = template0;
ALTER DATABASE "my app" OWNER TO dba;
\\connect "my app"
ALTER DATABASE "my app" SET search_path TO 'app', 'public';
ALTER ROLE web IN DATABASE "my app" SET work_mem TO '8MB';
REVOKE CONNECT,TEMPORARY ON DATABASE "my app" FROM PUBLIC;
GRANT CONNECT ON DATABASE "my app" TO web;
ALTER DATABASE other SET work_mem TO '1MB';
`;
const ALL = { withoutOwners: false, withoutPrivileges: false };

test('owner, limit, settings and grants of a database are said again for its new name', () => {
  expect(databaseStatements(SCRIPT, 'my app', 'a"b', ALL)).toEqual([
    'ALTER DATABASE "a""b" OWNER TO dba;',
    `ALTER DATABASE "a""b" SET search_path TO 'app', 'public';`,
    `ALTER ROLE web IN DATABASE "a""b" SET work_mem TO '8MB';`,
    'REVOKE CONNECT,TEMPORARY ON DATABASE "a""b" FROM PUBLIC;',
    'GRANT CONNECT ON DATABASE "a""b" TO web;',
  ]);
});

test('--no-owner leaves out its owner and settings of roles, --no-privileges its grants', () => {
  const of = (leftOut: Partial<typeof ALL>): readonly string[] =>
    databaseStatements(SCRIPT, 'my app', 'b', { ...ALL, ...leftOut }).map(
      (statement) => statement.split(' "b" ')[1] ?? '',
    );
  expect(of({ withoutOwners: true })).toEqual([`SET search_path TO 'app', 'public';`, 'FROM PUBLIC;', 'TO web;']);
  expect(of({ withoutPrivileges: true })).toEqual([
    'OWNER TO dba;',
    `SET search_path TO 'app', 'public';`,
    `SET work_mem TO '8MB';`,
  ]);
});
