import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');

test('docs/cli.md, docs/errors.md and the command table of README.md are what the program says', async () => {
  const check = promisify(execFile)(process.execPath, [path.join(root, '.config', 'docs.js'), '--check'], {
    cwd: root,
  });
  await expect(check).resolves.toMatchObject({ stderr: '' });
});
