import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

const ONE = migration('create table one (id int primary key);', 'drop table one;');
const TWO = migration('create table two (id int primary key); -- the second', 'drop table two;');
const FOUR = migration('create table four (id int);', 'drop table four;');

interface StatusDocument {
  readonly isCurrent: boolean;
  readonly migrations: readonly { readonly name: string; readonly state: string; readonly renamedTo: string | null }[];
}

describeOnServer('the history of migrations', () => {
  let database: ServerDatabase;
  let folder: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    folder = migrationsFolder({ '0001_one.sql': ONE, '0002_two.sql': TWO });
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${folder.dir}`], { env: { DATABASE_URL: database.url } });
  const states = async (): Promise<readonly string[]> => {
    const { stdout } = await aisec('migrate', 'status', '--json');
    return (JSON.parse(stdout) as StatusDocument).migrations.map(({ name, state }) => `${name} ${state}`);
  };
  const tables = async (): Promise<readonly string[]> => {
    const { rows } = await database.admin.query(
      `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
    );
    return rows.map((row: { relname: string }) => row.relname);
  };

  test('status on an empty database lists everything as pending, creates nothing, and check exits 3', async () => {
    expect(await states()).toEqual(['0001_one pending', '0002_two pending']);
    expect((await aisec('migrate', 'check')).exitCode).toBe(3);
    expect(await tables()).toEqual([]);
  });

  test('up applies each file once, records checksum, text and duration, and says so; again there is nothing to do', async () => {
    const first = await aisec('migrate', 'up', '--json');
    expect(first.exitCode).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      applied: [{ name: '0001_one' }, { name: '0002_two' }],
      pending: [],
    });
    const { rows } = await database.admin.query(
      'select name, state, checksum, content, duration_ms, applied_by from aisec_migrations order by name',
    );
    expect(rows).toMatchObject([
      { name: '0001_one', state: 'applied', content: ONE },
      { name: '0002_two', state: 'applied', content: TWO },
    ]);
    expect(rows[0]).toHaveProperty('checksum', expect.stringMatching(/^[0-9a-f]{64}$/));
    const second = await aisec('migrate', 'up');
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toBe('');
    expect(second.stderr).toContain('nothing to do');
    expect((await aisec('migrate', 'check')).exitCode).toBe(0);
  });

  test('pgmigrations is what node-pg-migrate itself writes, so that its own command line finds nothing to run', async () => {
    await aisec('migrate', 'up');
    const { rows } = await database.admin.query(
      'select id, name, run_on is not null as has_time from pgmigrations order by id',
    );
    expect(rows).toEqual([
      { id: 1, name: '0001_one', has_time: true },
      { id: 2, name: '0002_two', has_time: true },
    ]);
    const { runner } = await import('node-pg-migrate');
    const silent = (): void => undefined;
    const logger = { info: silent, warn: silent, error: silent };
    expect(
      await runner({
        databaseUrl: database.url,
        dir: folder.dir,
        direction: 'up',
        migrationsTable: 'pgmigrations',
        logger,
      }),
    ).toEqual([]);
  });

  test('--to stops after the named migration and tells what is left', async () => {
    const result = await aisec('migrate', 'up', '--to', '0001_one');
    expect(result.stderr).toContain('1 still pending');
    expect(await states()).toEqual(['0001_one applied', '0002_two pending']);
  });

  test('an unknown --to is refused with the nearest name, exit 2', async () => {
    const result = await aisec('migrate', 'up', '--to', '0002_tow');
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Did you mean "0002_two"?');
    expect(await tables()).toEqual([]);
  });

  test('an edited file stops up with exit 3, names the file and the line, and verify shows both checksums', async () => {
    await aisec('migrate', 'up');
    folder.write({ '0002_two.sql': TWO.replace('id int', 'id bigint'), '0004_four.sql': FOUR });
    const result = await aisec('migrate', 'up');
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('migration 0002_two was edited after it was applied');
    expect(result.stderr).toMatch(/0002_two\.sql:2/);
    expect(await tables()).not.toContain('four');
    const verified = await aisec('migrate', 'verify', '--json');
    expect(verified.exitCode).toBe(3);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      verified: 1,
      findings: [{ name: '0002_two', problem: 'edited' }],
    });
  });

  test('a file whose comments, blanks or line ends changed is not edited', async () => {
    await aisec('migrate', 'up');
    folder.write({
      '0001_one.sql': ONE.replaceAll('\n', '\r\n'),
      '0002_two.sql': TWO.replace('the second', 'another comment'),
    });
    expect(await states()).toEqual(['0001_one applied', '0002_two applied']);
    expect((await aisec('migrate', 'verify')).exitCode).toBe(0);
  });

  test('a deleted file is missing, a renamed one is renamed, and neither is mistaken for the other', async () => {
    await aisec('migrate', 'up');
    folder.remove('0001_one.sql');
    expect(await states()).toEqual(['0001_one missing', '0002_two applied']);
    expect((await aisec('migrate', 'up')).stderr).toContain('0001_one was applied, and its file is missing');
    folder.write({ '0001_one.sql': ONE });
    folder.remove('0002_two.sql');
    folder.write({ '0003_two.sql': TWO });
    expect(await states()).toEqual(['0001_one applied', '0002_two renamed']);
    const result = await aisec('migrate', 'up');
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('its file is now called 0003_two');
  });

  test('a late file is refused, applied with --allow-late, and then the history is in order', async () => {
    folder.write({ '0004_four.sql': FOUR });
    await aisec('migrate', 'up');
    folder.write({ '0003_three.sql': migration('create table three (id int);', 'drop table three;') });
    expect(await states()).toContain('0003_three late');
    expect((await aisec('migrate', 'up')).exitCode).toBe(3);
    expect((await aisec('migrate', 'up', '--allow-late')).exitCode).toBe(0);
    const plain = await aisec('migrate', 'up');
    expect(plain.exitCode).toBe(0);
    expect(plain.stderr).toContain('nothing to do');
  });

  test('status works for a role that may only read', async () => {
    await aisec('migrate', 'up');
    const role = `aisec_reader_${process.pid}`;
    await database.admin.query(`create role ${role} login`);
    try {
      await database.admin.query(`grant select on pgmigrations, aisec_migrations to ${role}`);
      const url = new URL(database.url);
      url.username = role;
      for (const command of ['status', 'check']) {
        const result = await runInProcess(['migrate', command, '--migrations-dir', `aisec=${folder.dir}`], {
          env: { DATABASE_URL: url.toString() },
        });
        expect(result.stderr).not.toContain('error');
        expect(result.exitCode).toBe(0);
      }
    } finally {
      await database.admin.query(`drop owned by ${role}`);
      await database.admin.query(`drop role ${role}`);
    }
  });

  test('a failing migration is rolled back whole, with file, line, column, caret and SQLSTATE', async () => {
    folder.write({ '0003_bad.sql': migration('create table half (id int);\ninsert into half (idd) values (1);') });
    const result = await aisec('migrate', 'up');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /error: migration 0003_bad: column "idd" of relation "half" does not exist \(SQLSTATE 42703\)/,
    );
    expect(result.stderr).toMatch(/0003_bad\.sql:3:19/);
    expect(result.stderr).toContain('3 | insert into half (idd) values (1);');
    expect(await tables()).not.toContain('half');
    expect(await states()).toEqual(['0001_one applied', '0002_two applied', '0003_bad pending']);
  });

  test('an error at run time, which the server gives no position for, is placed at its statement', async () => {
    folder.write({ '0003_bad.sql': migration('insert into one values (1);\n\ninsert into one values (1);') });
    const result = await aisec('migrate', 'up', '--json');
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toBe('');
    expect(JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: { code: 'MIGRATION_FAILED', sqlState: '23505', line: 4 },
    });
  });

  test('a NOTICE and a WARNING of a migration appear on stderr', async () => {
    folder.write({
      '0003_talks.sql': migration("do $$ begin raise notice 'hello from three'; raise warning 'mind the gap'; end $$;"),
    });
    const result = await aisec('migrate', 'up');
    expect(result.stderr).toContain('notice: hello from three');
    expect(result.stderr).toContain('warning: mind the gap');
  });

  test('two schemas in one database have their own histories', async () => {
    await aisec('migrate', 'up');
    expect((await aisec('migrate', 'up', '--schema', 'My App')).exitCode).toBe(0);
    const { rows } = await database.admin.query(
      `select relnamespace::regnamespace::text as schema from pg_class where relname = 'two' order by 1`,
    );
    expect(rows).toEqual([{ schema: '"My App"' }, { schema: 'public' }]);
    await aisec('migrate', 'down', '--all', '--yes', '--schema', 'My App');
    expect(await tables()).toEqual(['aisec_migrations', 'one', 'pgmigrations', 'two']);
  });
});
