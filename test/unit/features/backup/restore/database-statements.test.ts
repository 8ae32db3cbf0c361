import { expect, test } from 'vitest';

import { databaseStatements } from '../../../../../src/features/backup/restore/database-statements.js';

test('owner, limit, settings and grants of a database are said again for its new name', () => {
  const script = `CREATE DATABASE "my app" WITH TEMPLATE = template0;
ALTER DATABASE "my app" OWNER TO dba;
\\connect "my app"
ALTER DATABASE "my app" SET search_path TO 'app', 'public';
ALTER ROLE web IN DATABASE "my app" SET work_mem TO '8MB';
REVOKE CONNECT,TEMPORARY ON DATABASE "my app" FROM PUBLIC;
GRANT CONNECT ON DATABASE "my app" TO web;
ALTER DATABASE other SET work_mem TO '1MB';
`;
  expect(databaseStatements(script, 'my app', 'a"b')).toEqual([
    'ALTER DATABASE "a""b" OWNER TO dba;',
    `ALTER DATABASE "a""b" SET search_path TO 'app', 'public';`,
    `ALTER ROLE web IN DATABASE "a""b" SET work_mem TO '8MB';`,
    'REVOKE CONNECT,TEMPORARY ON DATABASE "a""b" FROM PUBLIC;',
    'GRANT CONNECT ON DATABASE "a""b" TO web;',
  ]);
});
