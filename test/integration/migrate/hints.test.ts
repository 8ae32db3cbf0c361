import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { migration, migrationsFolder } from '../../support/migrations-folder.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('what is advised where a migration fails', () => {
  let database: ServerDatabase;
  let dir: string;

  beforeEach(async () => {
    database = await createServerDatabase();
    ({ dir } = migrationsFolder({
      '0001_one.sql': migration('create table one (id int);', 'drop table one;'),
      '0002_two.sql': migration('create table two (id int);', 'drop table no_such_table;'),
    }));
  });

  const aisec = (args: readonly string[], user?: string): Promise<CliResult> => {
    const url = new URL(database.url);
    if (user !== undefined) Object.assign(url, { username: user, password: 'x' });
    return runInProcess(['migrate', ...args, '--migrations-dir', `aisec=${dir}`], {
      env: { DATABASE_URL: url.toString() },
    });
  };
  const hintOf = ({ stderr }: CliResult): string => /^hint: (.*)$/m.exec(stderr)?.[1] ?? '';

  test.each([
    ['down', '--yes'],
    ['redo', '--yes'],
  ])('the Down of an applied migration: %s says how it is corrected and recorded', async (...args) => {
    await aisec(['up']);
    const failed = await aisec(args);
    expect(failed.exitCode).toBe(1);
    expect(hintOf(failed)).toBe(
      'Nothing of this migration was reverted, and it stays applied. Change what the server names in the database and run the command again. Or is the Down section wrong? Edit it, then: aisec migrate repair 0002_two --reason "the Down was wrong"',
    );
    writeFileSync(path.join(dir, '0002_two.sql'), migration('create table two (id int);', 'drop table two;'));
    expect(await aisec(['repair', '0002_two', '--reason', 'the Down was wrong', '--yes'])).toMatchObject({
      exitCode: 0,
    });
    expect(await aisec(args)).toMatchObject({ exitCode: 0 });
  });

  test('a dry run says that no changes were made', async () => {
    await aisec(['up']);
    for (const verb of ['down', 'redo'])
      expect(hintOf(await aisec([verb, '--dry-run']))).toContain('No changes were made. Change what the server names');
    const missing = 'alter table no_such_table add id int;';
    writeFileSync(path.join(dir, '0003_three.sql'), migration(missing, 'select 1;'));
    expect(hintOf(await aisec(['up', '--dry-run']))).toBe(
      'No changes were made. Fix the file and run the command again.',
    );
  });

  test('an event trigger that refuses is named, with what its owner runs', async () => {
    await aisec(['up', '--to', '0001_one']);
    await database.admin.query(`create function closed() returns event_trigger language plpgsql as $$
      begin raise exception 'closed on weekdays'; end $$;
      create event trigger "no DDL" on ddl_command_end execute function closed()`);
    for (const args of [['up'], ['down', '--yes'], ['up', '--dry-run']]) {
      const refused = await aisec(args);
      expect(refused.exitCode).toBe(1);
      expect(hintOf(refused)).toContain('The event trigger "no DDL" refused it');
    }
    const [, fix] = /: (alter event trigger .*;)$/.exec(hintOf(await aisec(['up']))) ?? [];
    await database.admin.query(fix ?? '');
    expect(await aisec(['up'])).toMatchObject({ exitCode: 0 });
  });

  test('a missing privilege is no fault of the file', async () => {
    await aisec(['up', '--to', '0001_one']);
    const role = `${database.name}_other`;
    await database.admin.query(`create role ${role} login password 'x'; grant create, usage on schema public to ${role};
      grant all on all tables in schema public to ${role}`);
    writeFileSync(
      path.join(dir, '0002_two.sql'),
      migration('alter table one add two int;', 'alter table one drop two;'),
    );
    try {
      const refused = await aisec(['up'], role);
      expect(refused.exitCode).toBe(1);
      expect(hintOf(refused)).toContain('Run it as the owner, role postgres.');
    } finally {
      await database.admin.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });
});
