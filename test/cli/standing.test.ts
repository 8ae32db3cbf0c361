import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { runCli } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

describe('aisec alone', () => {
  test('says how to start where no database is configured', async () => {
    const run = await runInProcess([]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('aisec migrate up --embedded');
    expect(run.stdout).toContain('aisec --help');
  });

  test('gives up on a server that does not answer within about two seconds, exit 0', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const cwd = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    const run = await runCli([], { cwd, env: { DATABASE_URL: `postgres://me:hunter2@127.0.0.1:${port}/app` } });
    silent.close();
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain(`"app" at 127.0.0.1:${port} as me (DATABASE_URL): no answer within 2 s`);
    expect(run.stdout).not.toContain('hunter2');
  });

  test('says why a server is not reached, without the password', async () => {
    const run = await runInProcess([], { env: { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/app' } });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('"app" at 127.0.0.1:1 as me (DATABASE_URL): could not connect\n');
    expect(run.stdout).toContain('Next: check that the server runs');
    expect(run.stdout).not.toContain('hunter2');
  });

  test('says which setting cannot be used', async () => {
    const run = await runInProcess([], { env: { AISEC_WAIT_FOR_DATABASE: 'soon' } });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('invalid duration "soon"');
  });
});

describeOnServer('aisec alone, with a server', () => {
  test('leads from pending migrations to a backup', async () => {
    const [empty, migrated] = await Promise.all([
      createServerDatabase({ migrated: false }),
      createServerDatabase({ migrated: true }),
    ]);
    const before = await runInProcess([], { env: { DATABASE_URL: empty.url } });
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(before.stdout).toMatch(/^migrations +\d+ pending$/m);
    expect(before.stdout).toContain('Next: aisec migrate up\n');
    const after = await runInProcess([], { env: { DATABASE_URL: migrated.url } });
    expect(after.stdout).toMatch(/^migrations +\d+ applied$/m);
    expect(after.stdout).toMatch(/^partitions +\d+ months ahead$/m);
    expect(after.stdout).toMatch(/^last backup +none in backups$/m);
    expect(after.stdout).toContain('Next: aisec backup\n');
  });
});
