import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder, type MigrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

const table = (name: string): string => migration(`create table ${name} (id int primary key);`, `drop table ${name};`);

interface StatusDocument {
  readonly isCurrent: boolean;
  readonly otherSources: readonly string[];
  readonly migrations: readonly { readonly source: string; readonly name: string; readonly state: string }[];
}

describeOnServer("a team's own migrations beside the bundled ones", () => {
  let database: ServerDatabase;
  let bundled: MigrationsFolder;
  let own: MigrationsFolder;

  beforeEach(async () => {
    database = await createServerDatabase();
    bundled = migrationsFolder({ '0001_users.sql': table('users'), '0002_messages.sql': table('messages') });
    own = migrationsFolder({ '0001_users.sql': table('invoices'), '0002_items.sql': table('items') });
  });

  const bare = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess([...args, '--migrations-dir', `aisec=${bundled.dir}`], { env: { DATABASE_URL: database.url } });
  const aisec = (...args: readonly string[]): Promise<CliResult> => bare(...args, '--migrations-dir', own.dir);
  const status = async (): Promise<StatusDocument> =>
    JSON.parse((await aisec('migrate', 'status', '--json')).stdout) as StatusDocument;
  const states = async (): Promise<readonly string[]> =>
    (await status()).migrations.map(({ source, name, state }) => `${source} ${name} ${state}`);
  const tables = async (): Promise<string> => {
    const { rows } = await database.admin.query(
      `select coalesce(string_agg(relname, ' ' order by relname), '') as names from pg_class
       where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    );
    return (rows as { names: string }[])[0]?.names ?? '';
  };

  test('run after the bundled ones, in their own order, and status names the source of each', async () => {
    const up = await aisec('migrate', 'up');
    expect(up).toMatchObject({ exitCode: 0 });
    expect(up.stdout.match(/^\S+_\w+/gm)).toEqual(['0001_users', '0002_messages', 'app/0001_users', 'app/0002_items']);
    expect(await states()).toEqual([
      'aisec 0001_users applied',
      'aisec 0002_messages applied',
      'app 0001_users applied',
      'app 0002_items applied',
    ]);
    expect(await aisec('migrate', 'check')).toMatchObject({ exitCode: 0 });
    expect(await aisec('migrate', 'verify')).toMatchObject({ exitCode: 0 });
  });

  test('have a history of their own, which node-pg-migrate reads as it reads that of the bundled ones', async () => {
    await aisec('migrate', 'up');
    const { runner } = await import('node-pg-migrate');
    const silent = (): void => undefined;
    const logger = { info: silent, warn: silent, error: silent };
    const find = (dir: string, migrationsTable: string): Promise<readonly unknown[]> =>
      runner({ databaseUrl: database.url, dir, direction: 'up', migrationsTable, logger });
    expect(await find(bundled.dir, 'pgmigrations')).toEqual([]);
    expect(await find(own.dir, 'pgmigrations_app')).toEqual([]);
  });

  test('an upgrade that brings new bundled migrations makes none of them late, and nothing collides', async () => {
    await aisec('migrate', 'up');
    own.write({ '0003_taxes.sql': table('taxes') });
    bundled.write({ '0003_taxes.sql': table('settings') });
    expect((await states()).filter((line) => !line.endsWith('applied'))).toEqual([
      'aisec 0003_taxes pending',
      'app 0003_taxes pending',
    ]);
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    bundled.write({ '0004_more.sql': table('more') });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    expect((await status()).isCurrent).toBe(true);
  });

  test('down takes the last applied, whichever source it is of, and leaves nothing in the end', async () => {
    await aisec('migrate', 'up');
    bundled.write({ '0003_settings.sql': table('settings') });
    await aisec('migrate', 'up');
    expect((await aisec('migrate', 'down')).stdout).toContain('0003_settings');
    expect((await aisec('migrate', 'down')).stdout).toContain('app/0002_items');
    expect((await aisec('migrate', 'down', '--to', '0001_users', '--yes')).stdout.match(/^\S+_\w+/gm)).toEqual([
      'app/0001_users',
      '0002_messages',
    ]);
    expect(await tables()).toBe('aisec_migrations pgmigrations users');
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    expect((await aisec('migrate', 'down', '--all', '--yes')).stderr).toContain('Nothing is left.');
    expect(await tables()).toBe('');
  });

  test('a late file that was let in is the first that down reverts', async () => {
    own.remove('0002_items.sql');
    own.write({ '0003_taxes.sql': table('taxes') });
    await aisec('migrate', 'up');
    own.write({ '0002_items.sql': table('items') });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 3 });
    expect(await aisec('migrate', 'up', '--allow-late')).toMatchObject({ exitCode: 0 });
    expect((await aisec('migrate', 'down')).stdout).toContain('app/0002_items');
  });

  test('redo, down --dry-run and up --to take a name with its source, and without where it is the only one', async () => {
    expect((await aisec('migrate', 'up', '--to', 'app/0001_users')).stderr).toContain('1 still pending');
    expect((await aisec('migrate', 'redo')).stdout).toContain('app/0001_users');
    expect(await aisec('migrate', 'up', '--to', '0002_items')).toMatchObject({ exitCode: 0 });
    expect((await aisec('migrate', 'down', '--dry-run', '--to', 'app/0001_users')).stdout).toContain('app/0002_items');
    const unknown = await aisec('migrate', 'up', '--to', 'app/0002_itms');
    expect(unknown).toMatchObject({ exitCode: 2 });
    expect(unknown.stderr).toContain('Did you mean "app/0002_items"?');
  });

  test('a file runs only after the bundled one that it requires, and says which version lacks it', async () => {
    own.write({ '0003_taxes.sql': migration('select 1;', 'select 1;', '-- aisec: requires 0002') });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 0 });
    own.write({ '0004_later.sql': migration('select 1;', 'select 1;', '-- aisec: requires 0099_later') });
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3 });
    expect(refused.stderr).toContain('app/0004_later requires 0099_later of aisec, which is not applied');
    expect(refused.stderr).toContain('Install the version of aisec that has it');
    own.write({ '0004_later.sql': migration('select 1;', 'select 1;', '-- aisec: requires') });
    expect(await aisec('migrate', 'up')).toMatchObject({ exitCode: 2 });
  });

  test('without their directory status names them, up goes on, and down does not revert what they may need', async () => {
    await aisec('migrate', 'up');
    const seen = await bare('migrate', 'status');
    expect(seen.stderr).toContain('The database also has migrations of: app.');
    expect(await bare('migrate', 'up')).toMatchObject({ exitCode: 0 });
    for (const args of [['down'], ['down', '--dry-run'], ['redo']]) {
      const refused = await bare('migrate', ...args);
      expect(refused).toMatchObject({ exitCode: 3 });
      expect(refused.stderr).toContain('the database has migrations of the source "app"');
    }
    expect(await tables()).toContain('messages');
  });

  test('several directories have a name each, and new wants to know which', async () => {
    const other = migrationsFolder({ '0001_users.sql': table('leads') });
    const run = (...args: readonly string[]): Promise<CliResult> =>
      bare(...args, '--migrations-dir', `billing=${own.dir},crm=${other.dir}`);
    expect((await run('migrate', 'up')).stdout).toContain('crm/0001_users');
    expect(await tables()).toContain('aisec_migrations_billing aisec_migrations_crm');
    const ambiguous = await run('migrate', 'new', 'add_taxes');
    expect(ambiguous).toMatchObject({ exitCode: 2 });
    expect(ambiguous.stderr).toContain('aisec migrate new billing/add_taxes');
    expect((await run('migrate', 'new', 'crm/add_taxes')).stdout.trim()).toBe(`${other.dir}/0002_add_taxes.sql`);
    const twins = await bare('migrate', 'up', '--migrations-dir', own.dir, '--migrations-dir', other.dir);
    expect(twins).toMatchObject({ exitCode: 2 });
    expect(twins.stderr).toContain('two directories of migrations are called "app"');
  });

  test('a table that is there already stops up before the first change, with a hint for the owner of the file', async () => {
    await database.admin.query('create table items (id int)');
    const refused = await aisec('migrate', 'up');
    expect(refused).toMatchObject({ exitCode: 3 });
    expect(refused.stderr).toContain('which app/0002_items would create');
    expect(refused.stderr).toContain('Give it another name in the migration');
    expect(await tables()).toBe('items');
  });

  test('two runs at once apply each file once', async () => {
    const runs = await Promise.all([aisec('migrate', 'up', '--wait', '30s'), aisec('migrate', 'up', '--wait', '30s')]);
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const { rows } = await database.admin.query('select name from pgmigrations_app order by id');
    expect(rows).toEqual([{ name: '0001_users' }, { name: '0002_items' }]);
  });
});
