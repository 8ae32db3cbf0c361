import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { migration, migrationsFolder } from '../support/migrations-folder.js';
import { runInProcess } from '../support/run-in-process.js';

const root = path.join(import.meta.dirname, '..', '..');
const committed = path.join(root, 'src', 'schema', 'database.ts');
const committedValidators = path.join(root, 'src', 'zod', 'tables.ts');
const SAME_MODULE = ['--import-from', './column-types.js'];

const TASKS = `
create table tasks (
  id bigint primary key generated always as identity,
  state text not null default 'open' check (state in ('open', 'done')),
  title text not null,
  length integer generated always as (length(title)) stored,
  due date,
  details jsonb
);
create view open_tasks as select id, title, due from tasks where state = 'open';
comment on table tasks is 'What is to be done.';
grant select, insert, update on tasks to authenticated;
grant select on open_tasks to authenticated;
create table secret (id integer);`;
/** What a team may have beside them, each with a trap of its own. */
const TEAM = `
create type mood as enum ('happy', 'sad');
create domain email as text not null check (value <> '');
create domain level as integer check (value in (1, 2, 3));
create schema billing;
grant usage on schema billing to authenticated;
create table task (
  due_at timestamp, took interval, c text check (c = any (array['a', 'b']) or c is null), n smallint check (n in (1, 2, -3)),
  padded char(2) check (padded in ('a', 'bb')), exact char(2) check (exact in ('aa', 'bb')), price numeric check (price in (1, 2)),
  contact email, importance level, moods mood[], "__proto__" text, "it's" mood
);
create table child (more bytea) inherits (task);
create table days (day date not null) partition by range (day);
create table days_2026 partition of days for values from ('2026-01-01') to ('2027-01-01');
create materialized view counted as select count(*) as tasks from task;
create table billing.invoices (id bigint primary key, lines jsonb[]);
create table billing.user (id integer);
create foreign data wrapper nothing;
create server elsewhere foreign data wrapper nothing;
create foreign table remote_orders (id bigint not null, placed date default current_date, state text check (state in ('new', 'paid')))
  server elsewhere;
grant select, insert on task, child, days, days_2026, counted, remote_orders, billing.invoices, billing.user to authenticated;`;
const ROLE = migration(
  'do $$ begin create role authenticated nologin; exception when duplicate_object or unique_violation then null; end $$;',
);

describe('aisec types', () => {
  test('check: the types in the package are those of its migrations (mend with npm run types:generate)', async () => {
    const run = await runInProcess(['types', 'check', committed, ...SAME_MODULE]);
    expect(run.stdout).toBe('');
    expect(run.exitCode).toBe(0);
  });

  test.each([
    [['types', 'check', 'nowhere.ts'], 'there is no file "nowhere.ts"'],
    [['types', 'generate', '--source', 'moon'], 'invalid source of types "moon"'],
    [['types', 'generate', '--import-from', "x'; evil()"], 'invalid module name'],
  ])('%j is refused with exit 2 before anything is opened', async (args, message) => {
    const run = await runInProcess(args);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(message);
  });
});

describeOnServer('aisec types --source database', () => {
  test('gives the same text on a server as the migrations do in memory', async () => {
    const database = await createServerDatabase({ migrated: true });
    const run = await runInProcess(['types', 'check', committed, '--source', 'database', ...SAME_MODULE], {
      env: { DATABASE_URL: database.url },
    });
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    const validators = ['--validators', '--import-from', './columns.js'];
    const check = await runInProcess(['types', 'check', committedValidators, '--source', 'database', ...validators], {
      env: { DATABASE_URL: database.url },
    });
    expect(check).toMatchObject({ exitCode: 0, stdout: '' });
  });

  describe('with migrations of its own', () => {
    const directory = migrationsFolder({ '0001_role.sql': ROLE, '0002_tasks.sql': migration(TASKS) });
    const from = ['--source', 'database', '--migrations-dir', `aisec=${directory.dir}`];
    const up = ['migrate', 'up', '--migrations-dir', `aisec=${directory.dir}`];
    const file = path.join(directory.dir, '..', `${path.basename(directory.dir)}.ts`);
    let options: { env: Record<string, string> };
    beforeAll(async () => {
      options = { env: { DATABASE_URL: (await createServerDatabase()).url } };
      expect((await runInProcess(up, options)).exitCode).toBe(0);
    });
    afterAll(() => rmSync(file, { force: true }));

    test('generate: what a service may use is there, what only the database writes cannot be written', async () => {
      const run = await runInProcess(['types', 'generate', ...from, '--out', file], options);
      expect(run).toMatchObject({ exitCode: 0, stdout: '' });
      const text = readFileSync(file, 'utf8');
      expect(text).toContain(`/** What is to be done. */
export interface TasksTable {
  id: AlwaysGenerated<Int8>;
  state: Generated<'open' | 'done'>;
  title: string;
  length: AlwaysGenerated<number | null>;
  due: string | null;
  details: JsonText | null;
}`);
      expect(text).toContain(`export interface OpenTasksTable {
  id: ReadOnly<Int8>;
  title: ReadOnly<string>;
  due: ReadOnly<string | null>;
}`);
      expect(text).toContain('export type Task = Selectable<TasksTable>;');
      expect(text).not.toContain('NewOpenTask');
      expect(text).not.toMatch(/secret|pgmigrations/i);
    });

    test('generate: what a team has is told as it is, and what is left out as well', async () => {
      const team = migrationsFolder({
        '0001_role.sql': ROLE,
        '0002_tasks.sql': migration(TASKS),
        '0003_team.sql': migration(TEAM),
      });
      const its = { env: { DATABASE_URL: (await createServerDatabase()).url } };
      const migrate = ['migrate', 'up', '--migrations-dir', `aisec=${team.dir}`];
      expect((await runInProcess(migrate, its)).exitCode).toBe(0);
      const from = ['--source', 'database', '--migrations-dir', `aisec=${team.dir}`];
      const alone = await runInProcess(['types', 'generate', ...from, '--json'], its);
      expect(alone.exitCode).toBe(0);
      expect(JSON.parse(alone.stdout).leftOut).toEqual([
        { relation: 'billing.invoices', reason: 'other schema' },
        { relation: 'billing.user', reason: 'other schema' },
        { relation: 'secret', reason: 'no privilege' },
      ]);
      const selected = ['--schemas', 'billing', '--exclude', 'billing.us*', '--exclude', 'open_tasks'];
      const run = await runInProcess(['types', 'generate', ...from, ...selected], its);
      expect(run.stderr).toContain('left out, excluded by name: billing.user, open_tasks');
      expect(run.stdout).toContain(`export interface TaskTable {
  due_at: string | null;
  took: string | null;
  c: 'a' | 'b' | null;
  n: 1 | 2 | -3 | null;
  padded: string | null;
  exact: 'aa' | 'bb' | null;
  price: Numeric | null;
  contact: string;
  importance: 1 | 2 | 3 | null;
  moods: ArrayOf<'happy' | 'sad'> | null;
  __proto__: string | null;
  'it\\'s': 'happy' | 'sad' | null;
}`);
      expect(run.stdout).toMatch(
        /interface ChildTable \{[^}]*importance: 1 \| 2 \| 3 \| null;[^}]*more: Bytes \| null;\n\}/,
      );
      expect(run.stdout).toContain('tasks: ReadOnly<Int8>;');
      expect(run.stdout).toContain(`export interface BillingInvoicesTable {
  id: Int8;
  lines: ArrayOf<JsonText> | null;
}`);
      expect(run.stdout).toContain("  'billing.invoices': BillingInvoicesTable;\n");
      expect(run.stdout).toContain(`export interface RemoteOrdersTable {
  id: Int8;
  placed: Generated<string | null>;
  state: 'new' | 'paid' | null;
}`);
      expect(run.stdout).toContain('  remote_orders: RemoteOrdersTable;\n');
      // Task is taken by the first of them.
      expect(run.stdout).toContain('export type Task = Selectable<TaskTable>;');
      expect(run.stdout).toContain('export type Task2 = Selectable<Tasks2Table>;');
      expect(run.stdout).not.toMatch(/days_2026|open_tasks|BillingUser/);

      const validators = await runInProcess(['types', 'generate', '--validators', ...from], its);
      expect(validators.exitCode).toBe(0);
      expect(validators.stdout).toContain('  n: numberChoiceColumn([1, 2, -3]).nullish(),\n');
      expect(validators.stdout).toContain(
        '  // whether it is interval is for the database to say\n  took: textColumn().nullish(),\n',
      );

      for (const [option, message] of [
        ['--exclude=nothing_*', 'no table or view matches "nothing_*" of --exclude'],
        ['--schemas=nowhere', 'there is no schema "nowhere"'],
      ] as const) {
        const refused = await runInProcess(['types', 'generate', ...from, option], its);
        expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
        expect(refused.stderr).toContain(message);
      }
    });

    test('check: the lines that differ are told with exit 3, how the file is formatted does not count', async () => {
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll("'", '"').replaceAll(';', '').replaceAll('  ', '\t'));
      expect(await runInProcess(['types', 'check', file, ...from], options)).toMatchObject({ exitCode: 0, stdout: '' });
      const again = await runInProcess(['types', 'generate', '--out', file, ...from], options);
      expect(again.stderr).toContain('nothing to do');

      directory.write({ '0003_more.sql': migration('alter table tasks add column note text not null') });
      expect((await runInProcess(up, options)).exitCode).toBe(0);
      const drifted = await runInProcess(['types', 'check', file, ...from, '--json'], options);
      expect(drifted.exitCode).toBe(3);
      const { isCurrent, changes } = JSON.parse(drifted.stdout);
      expect(isCurrent).toBe(false);
      expect(changes).toContainEqual({ sign: '+', line: expect.any(Number), text: '  note: string;' });
    });
  });
});
