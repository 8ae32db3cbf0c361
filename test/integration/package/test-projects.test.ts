import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { installPacked } from '../../support/packed-package.js';

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

/** A project that has the packed package and vitest's own settings, and no snapshot yet. */
const project = mkdtempSync(path.join(tmpdir(), 'aisec-test-project-'));
beforeAll(() => {
  installPacked(project, 'vitest');
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module", "private": true }');
  writeFileSync(path.join(project, 'shown.test.js'), TESTS);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test('a vitest project of two lines passes the first time, with the timeouts that vitest has by itself', () => {
  const program = path.join(project, 'node_modules', 'vitest', 'vitest.mjs');
  const run = spawnSync(process.execPath, [program, 'run', '--root', project, '--reporter', 'json'], {
    cwd: project,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: project },
  });
  expect(JSON.parse(run.stdout), run.stderr).toMatchObject({ numPassedTests: 2, numTotalTests: 2 });
});
