import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { installPacked } from '../support/packed-package.js';

const TESTS = `
import * as hooks from 'vitest';
import { withUser } from 'aisec';
import { useTestDatabase } from 'aisec/testing';

const { expect, test } = hooks;
const database = useTestDatabase(hooks);

test('shows a conversation to its owner, and to none without withUser', async () => {
  const conversation = await database.make.conversation({ title: 'Engines' });
  const read = (on) => on.selectFrom('conversations').selectAll().execute();
  expect(await withUser(database.db, conversation.user_id, read)).toEqual([conversation]);
  await expect(read(database.db)).rejects.toMatchObject({ code: '42501' });
});
test('begins empty', async () => {
  expect(await database.admin.selectFrom('users').selectAll().execute()).toEqual([]);
});
`;

/** A service in CommonJS with a table of its own in a migration of its own. */
const MIGRATION = `-- Up Migration
create table invoices (id bigint generated always as identity primary key, user_id uuid not null references users, total numeric(10, 2) not null);
alter table invoices enable row level security;
create policy own on invoices using (user_id = (select current_user_id()));
create index on invoices (user_id);
grant select, insert on invoices to authenticated;
-- Down Migration
drop table invoices;
`;
const SERVICE = `
const { withUser } = require('aisec');
exports.invoices = (db, userId) => withUser(db, userId, (trx) => trx.selectFrom('invoices').select('total').execute());
`;
const JEST_TESTS = `
const { withUser } = require('aisec');
const { useTestDatabase } = require('aisec/testing');
const { invoices } = require('./service.cjs');

const database = useTestDatabase(globalThis);

test('shows an invoice to its owner only', async () => {
  const [one, other] = [await database.make.user(), await database.make.user()];
  const mine = { user_id: one.id, total: '12.50' };
  await withUser(database.db, one.id, (trx) => trx.insertInto('invoices').values(mine).execute());
  expect(await invoices(database.db, one.id)).toEqual([{ total: '12.50' }]);
  expect(await invoices(database.db, other.id)).toEqual([]);
  const foreign = withUser(database.db, other.id, (trx) => trx.insertInto('invoices').values(mine).execute());
  await expect(foreign).rejects.toMatchObject({ code: '42501' });
});
test('begins empty', async () => {
  expect(await database.admin.selectFrom('invoices').selectAll().execute()).toEqual([]);
});
`;

/** A project that has the packed package and the runners' own settings, and no snapshot yet. */
const project = mkdtempSync(path.join(tmpdir(), 'aisec-test-project-'));
const write = (name: string, text: string): void => writeFileSync(path.join(project, name), text);
beforeAll(async () => {
  await installPacked(project, 'vitest', 'jest', 'zod');
  mkdirSync(path.join(project, 'db', 'migrations'), { recursive: true });
  write('package.json', '{ "type": "module", "private": true, "aisec": { "migrationsDir": "./db/migrations" } }');
  write('shown.test.js', TESTS);
  write('db/migrations/0001_invoices.sql', MIGRATION);
  write('service.cjs', SERVICE);
  write('service.jest.cjs', JEST_TESTS);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const run = (program: string, args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [path.join(project, 'node_modules', program), ...args], {
    cwd: project,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: project, ...env },
  });

test('a vitest project of two lines passes the first time, with the timeouts that vitest has by itself', () => {
  const { stdout, stderr } = run('vitest/vitest.mjs', ['run', '--root', project, '--reporter', 'json']);
  expect(JSON.parse(stdout), stderr).toMatchObject({ numPassedTests: 2, numTotalTests: 2 });
});

test('Jest without the flag that PGlite needs names it, in place of a process that ends', () => {
  const options = ['--json', '--rootDir', project, '--testMatch', '**/*.jest.cjs', '--no-cache'];
  const { stdout, stderr } = run('jest/bin/jest.js', options);
  expect(JSON.parse(stdout), stderr).toMatchObject({ numFailedTests: 2, numTotalTests: 2 });
  expect(stdout).toContain('NODE_OPTIONS=--experimental-vm-modules npx jest');
});

test('a CommonJS service with a table of its own passes its tests under Jest the first time', () => {
  const options = ['--json', '--rootDir', project, '--testMatch', '**/*.jest.cjs', '--no-cache'];
  const { stdout, stderr } = run('jest/bin/jest.js', options, { NODE_OPTIONS: '--experimental-vm-modules' });
  expect(JSON.parse(stdout), stderr).toMatchObject({ numPassedTests: 2, numTotalTests: 2 });
});
