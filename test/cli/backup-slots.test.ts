import { expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import { waitFor } from '../support/wait-for.js';

describeOnServer('a server with no connection left', () => {
  const { database, backup, newDirectory, names } = useBackupFixture();

  test('ends a backup at once, and with --wait-for-database is asked again, for each connection', async () => {
    const { admin, name, url } = database();
    const role = `slots_${name}`;
    // Our own session, the one that looks who blocks, and none for pg_dump.
    await admin.query(`create role ${role} login bypassrls connection limit 2; grant pg_read_all_data to ${role}`);
    try {
      const env = { DATABASE_URL: Object.assign(new URL(url), { username: role }).href };
      const directory = await newDirectory();
      const refused = await backup(directory, [], { env });
      expectError(refused, 4, 'no connection is left for pg_dump', 'too many connections for role');
      expect(refused.stderr).toContain('--wait-for-database 30s');
      expect(names(directory)).toEqual([]);

      const waiting = backup(directory, ['--wait-for-database', '60s', '--json'], { env });
      await waitFor(async () => {
        const { rows } = await admin.query('select from pg_stat_activity where usename = $1', [role]);
        return rows.length === 2;
      });
      await admin.query(`alter role ${role} connection limit -1`);
      expect(await waiting).toMatchObject({ exitCode: 0 });
      expect(names(directory)).toHaveLength(3);

      await admin.query(`alter role ${role} connection limit 1`);
      const second = await backup(directory, ['--wait-for-database', '300ms'], { env });
      expectError(
        second,
        4,
        'no connection is left on database',
        `: the CONNECTION LIMIT of role "${role}" is reached (`,
      );
    } finally {
      await admin.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('says that it is the limit of the database', async () => {
    const { admin, name, url } = database();
    const role = `slots_${name}`;
    await admin.query(`create role ${role} login`);
    await admin.query(`alter database "${name}" connection limit 0`);
    try {
      const env = { DATABASE_URL: Object.assign(new URL(url), { username: role }).href };
      const refused = await backup(await newDirectory(), [], { env });
      expectError(
        refused,
        4,
        'no connection is left on database',
        ': the CONNECTION LIMIT of the database is reached (',
      );
    } finally {
      await admin.query(`alter database "${name}" connection limit -1; drop role ${role}`);
    }
  });
});
