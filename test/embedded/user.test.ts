import path from 'node:path';

import { expect, test } from 'vitest';

import { createEmbeddedDirectory } from '../support/database.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

test('a user of the embedded database is exported, then erased, and erased again by the restore of an older backup', async () => {
  const directory = await createEmbeddedDirectory();
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { AISEC_DATA_DIR: path.join(directory, 'data') }, cwd: directory });
  expect(await run('migrate', 'up', '--embedded')).toMatchObject({ exitCode: 0 });
  expect(
    await run('seed', 'demo', '--users', '2', '--messages', '400', '--embeddings', '2', '--months', '3'),
  ).toMatchObject({ exitCode: 0 });
  expect(await run('archive', '--older-than', '1mo')).toMatchObject({ exitCode: 0 });
  const listed = await run('user', 'erase', 'nobody');
  expectError(listed, 2, 'there is no user "nobody"');
  const user = 'osamu.tanaka.5f971';
  expect(await run('user', 'export', user, '--out', 'data.zip')).toMatchObject({ exitCode: 0 });
  const backup = await run('backup', '--dir', 'backups', '--json');
  expect(backup).toMatchObject({ exitCode: 0 });
  const erase = ['user', 'erase', user, '--shared', 'refuse', '--confirm', user, '--dir', 'backups', '--json'];
  const erased = await run(...erase);
  expect(erased).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(erased.stdout)).toMatchObject({ outcome: 'erased', certificate: { hits: [] } });
  // A backup of before has the person: the restore erases them again.
  const { file } = JSON.parse(backup.stdout) as { readonly file: string };
  const restored = await run('restore', file, '--replace', '--confirm', 'data', '--dir', 'backups');
  expect(restored, restored.stderr).toMatchObject({ exitCode: 0 });
  expect(restored.stderr).toContain('was erased again');
});
