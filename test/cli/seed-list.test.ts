import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { runInProcess } from '../support/run-in-process.js';
import { seedsDirectory } from '../support/seeds-directory.js';

describe('aisec seed list', () => {
  test('lists the bundled set without a database', async () => {
    const result = await runInProcess(['seed', 'list']);
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: 'set\tfiles\twhere\ninitial\t01-system-settings.sql, 02-admin-user.sql\tbundled\n',
    });
  });

  test('lists those of a directory as JSON, and warns of a directory that is not a set', async () => {
    const dir = seedsDirectory({
      'team/02-b.sql': 'x',
      'team/01-a.sql': 'x',
      'team/notes.txt': 'x',
      'No Set/01-a.sql': 'x',
    });
    const result = await runInProcess(['seed', 'list', '--json', '--seeds-dir', dir]);
    expect(JSON.parse(result.stdout)).toEqual({
      formatVersion: 1,
      sets: [{ name: 'team', files: ['01-a.sql', '02-b.sql'], where: 'directory', directory: path.join(dir, 'team') }],
    });
    expect(result.stderr).toMatch(/^warning: ".*No Set" is not a seed set/);
  });

  test('says which directory cannot be read', async () => {
    const result = await runInProcess(['seed', 'list', '--seeds-dir', 'nowhere']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/could not read the directory ".*nowhere"/);
  });
});
