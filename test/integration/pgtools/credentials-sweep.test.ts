import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

import { withCredentials } from '../../../src/adapters/pgtools/credentials.js';
import type { ServerTarget } from '../../../src/config/database-target.js';

const target: ServerTarget = {
  kind: 'server',
  source: 'DATABASE_URL',
  connection: { host: 'db', port: '5432', user: 'dba', database: 'app', password: 'p:w\\1' },
};

test('the password file of a run that was killed goes with the next run', async () => {
  const module = pathToFileURL(path.resolve(import.meta.dirname, '../../../dist/adapters/pgtools/credentials.js')).href;
  const script = `
    const { withCredentials } = await import(${JSON.stringify(module)});
    await withCredentials(${JSON.stringify(target)}, { applicationName: 'aisec test' }, async ({ variables }) => {
      process.stdout.write(variables.PGPASSFILE + '\\n');
      setInterval(() => undefined, 1000);
      await new Promise(() => undefined);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const left = line.trim();
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(existsSync(left)).toBe(true);

  const own = await withCredentials(target, { applicationName: 'aisec test' }, async ({ variables }) => {
    expect(existsSync(left)).toBe(false);
    return Promise.resolve(variables['PGPASSFILE'] ?? '');
  });
  expect(existsSync(own)).toBe(false);
});
