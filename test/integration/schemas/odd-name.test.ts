import path from 'node:path';

import { expect, test } from 'vitest';

import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';

const SCHEMA = `My S'ch "x"`;

describeOnServer('a schema whose name has capitals, blanks and quotes', () => {
  test('is migrated, filled, archived, exported, brought back and taken down as any other', async () => {
    const database = await createServerDatabase();
    const env = { DATABASE_URL: database.url, AISEC_SCHEMA: SCHEMA, PATH: process.env['PATH'] ?? '' };
    const run = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await runInProcess(args, { env });
      expect({ args, exitCode, stderr }).toMatchObject({ args, exitCode: 0 });
      return stdout;
    };
    const out = await createEmbeddedDirectory();
    await run('migrate', 'up');
    await run('seed', 'demo', '--messages', '300', '--months', '5', '--yes');
    await run('partitions', 'check');
    await run('archive', '--older-than', '2mo');
    const { months } = JSON.parse(await run('archive', 'list', '--json')) as { months: { month: string }[] };
    const [{ month } = { month: '' }] = months;
    const file = path.join(out, 'month.ndjson.gz');
    await run('archive', 'export', month, '--out', file);
    await run('archive', 'list', '--verify');
    await run('archive', 'restore', month);
    await run('vector', 'rebuild', '--force');
    const { rows } = await database.admin.query(
      `select username from "My S'ch ""x""".users where username <> 'admin' order by 1 limit 1`,
    );
    const [{ username }] = rows as [{ username: string }];
    await run('user', 'export', username, '--out', path.join(out, 'person.json'));
    await run('user', 'erase', username, '--confirm', username);
    // Nor is what the rebuild has changed of the index, its comment included.
    await run('migrate', 'drift');
    await run('migrate', 'down', '--all', '--yes');
    const left = await database.admin.query(
      'select relname from pg_class where relnamespace = quote_ident($1)::regnamespace',
      [SCHEMA],
    );
    expect(
      left.rows.map(({ relname }) => relname as string).filter((name) => !name.startsWith('pgmigrations')),
    ).toEqual([]);
  });
});
