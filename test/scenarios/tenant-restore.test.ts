import path from 'node:path';

import { beforeAll, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { runPsql } from '../support/run-psql.js';

describeOnServer('aisec tenant restore on PostgreSQL alone', () => {
  let database: ServerDatabase;
  let directory = '';
  let file = '';
  const aisec = (args: readonly string[], schema: string): Promise<CliResult> =>
    runInProcess([...args, '--schema', schema], {
      env: { DATABASE_URL: database.url, AISEC_BACKUP_DIR: directory },
    });
  const count = async (table: string): Promise<number> =>
    ((await database.admin.query(`select count(*)::int as rows from ${table}`)).rows as { rows: number }[])[0]?.rows ??
    -1;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    directory = path.join(await createEmbeddedDirectory(), 'backups');
    // Nobody is in two of them: an erasure looks for its person in the whole database.
    for (const [number, schema] of ['acme', 'acme two'].entries()) {
      expect(await aisec(['migrate', 'up'], schema)).toMatchObject({ exitCode: 0 });
      for (const name of ['u0', 'u1']) {
        const id = `1000000${number}-0000-4000-8000-00000000000${name.slice(1)}`;
        await database.admin.query(
          `insert into "${schema}".users (id, username, email, password_hash) values ('${id}', '${name} ${number}', '${name}.${number}@example.com', 'h')`,
        );
        await database.admin.query(`insert into "${schema}".conversations (user_id) values ('${id}')`);
      }
    }
    const run = await aisec(['backup', '--json'], 'acme');
    file = (JSON.parse(run.stdout) as { readonly file: string }).file;
  });

  test('brings one schema back and leaves the others alone; what is there is refused with what keeps it', async () => {
    await database.admin.query(
      'delete from acme.users; delete from public.users; delete from "acme two".conversations',
    );
    const refused = await aisec(['tenant', 'restore', file], 'acme');
    expectError(refused, 3, 'cannot restore to database', 'schema "acme" is there, with');
    await runPsql(database.url, /alter schema .*;/.exec(refused.stderr)?.[0] ?? '');
    expect(await aisec(['tenant', 'restore', file, '--dry-run'], 'acme')).toMatchObject({ exitCode: 0 });
    const run = await aisec(['tenant', 'restore', file, '--json'], 'acme');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: 'acme', node: null });
    expect([
      await count('acme.users'),
      await count('"acme two".users'),
      await count('"acme two".conversations'),
    ]).toEqual([2, 2, 0]);
    expect(await aisec(['migrate', 'drift'], 'acme')).toMatchObject({ exitCode: 0 });
    expect(await aisec(['partitions', 'check', '--keys'], 'acme')).toMatchObject({ exitCode: 0 });
  });

  test('keeps people erased who were erased after the backup', async () => {
    const erased = await aisec(['user', 'erase', 'u0 0', '--confirm', 'u0 0'], 'acme');
    expect(erased).toMatchObject({ exitCode: 0 });
    await database.admin.query('alter schema acme rename to erased');
    expect(await aisec(['tenant', 'restore', file], 'acme')).toMatchObject({ exitCode: 0 });
    const { rows } = await database.admin.query('select username from acme.users');
    expect(rows).toEqual([{ username: 'u1 0' }]);
  });
});
