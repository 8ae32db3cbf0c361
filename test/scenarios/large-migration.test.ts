import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { migration, migrationsFolder } from '../support/migrations-folder.js';
import { runCli, type CliResult } from '../support/run-cli.js';

/** Rows enough to be sent in several messages, and in the middle what the test wants. */
function dataMigration(megabytes: number, middle = ''): string {
  const rows = Array.from({ length: 1000 }, (_row, n) => `insert into data values (${n}, '${n}; 日本🎉 ''s');`).join(
    '\n',
  );
  const half = `${rows}\n`.repeat(Math.ceil((megabytes * 1e6) / rows.length / 2));
  return migration(`create table data (id int, note text);\n${half}${middle}\n${half}`, 'drop table data;');
}

describeOnServer('a migration with megabytes of rows', () => {
  const run = async (text: string, ...args: readonly string[]): Promise<CliResult & { rows: number | undefined }> => {
    const database = await createServerDatabase();
    const { dir } = migrationsFolder({ '0001_data.sql': text });
    const env = { DATABASE_URL: database.url, NODE_OPTIONS: '--max-old-space-size=90' };
    const result = await runCli(['migrate', 'up', '--migrations-dir', `aisec=${dir}`, ...args], { env });
    const { rows: tables } = await database.admin.query(`select from pg_tables where tablename = 'data'`);
    const counted = tables.length === 0 ? undefined : await database.admin.query('select count(*)::int as n from data');
    return { ...result, rows: (counted?.rows as readonly { n: number }[] | undefined)?.[0]?.n };
  };

  test('takes a small multiple of its size in memory, in the dry run, too', async () => {
    const text = dataMigration(6);
    const count = text.match(/^insert/gm)?.length;
    const dry = await run(text, '--dry-run', '--json');
    expect(dry).toMatchObject({ exitCode: 0, rows: undefined });
    expect(JSON.parse(dry.stdout)).toMatchObject({
      migrations: [
        {
          statements: [
            { kind: 'create table', count: 1 },
            { kind: 'insert into', count },
          ],
        },
      ],
    });
    expect(await run(text)).toMatchObject({ exitCode: 0, rows: count });
  });

  test.each([
    ['that fails when it runs', "insert into data values (1, '🎉'), (1 / 0, '');", 1, 'division by zero'],
    ['that the server cannot read', "insert into data values (1, '🎉') wrong;", 1, 'syntax error at or near "wrong"'],
    ['that is forbidden', 'select 1; commit;', 2, 'transaction control does not belong in a migration'],
  ])(
    'and a statement %s between them is told with its line, and nothing stays',
    async (_title, middle, exitCode, message) => {
      const text = dataMigration(2.4, middle);
      const line = text.split('\n').indexOf(middle) + 1;
      for (const args of [[], ['--dry-run']]) {
        const result = await run(text, ...args);
        expect(result).toMatchObject({ exitCode, rows: undefined });
        expect(result.stderr).toContain(message);
        expect(result.stderr).toContain(`0001_data.sql:${line}:`);
      }
    },
  );
});
