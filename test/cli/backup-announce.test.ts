import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { useBackupFixture } from '../support/backup-fixture.js';
import { describeOnServer } from '../support/database.js';
import { expectError } from '../support/expect-error.js';

describeOnServer('what aisec backup tells others', () => {
  const { database, newDirectory, backup } = useBackupFixture();
  const pings: string[] = [];
  let watchdog: Server;
  let status = 200;
  let pingUrl = '';
  beforeAll(async () => {
    watchdog = createServer((request, response) => {
      pings.push(request.url ?? '');
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => watchdog.listen(0, '127.0.0.1', resolve));
    pingUrl = `http://127.0.0.1:${(watchdog.address() as AddressInfo).port}/ping/secret-uuid`;
  });
  afterAll(() => watchdog.close());

  function hook(directory: string, name: string, lines: string): string {
    const file = path.join(path.dirname(directory), name);
    writeFileSync(file, `#!/bin/sh\n${lines}\n`);
    chmodSync(file, 0o700);
    return file;
  }

  test('a success: the watchdog, the program with the facts and no secret, the metrics', async () => {
    const directory = await newDirectory();
    const said = `${directory}.said`;
    const metrics = `${directory}.prom`;
    const program = hook(directory, 'good', `env > ${said}`);
    const run = await backup(
      directory,
      ['--on-success', program, '--on-failure', '/none', '--prometheus', metrics, '--json'],
      {
        env: { AISEC_PING_URL: pingUrl },
      },
    );
    expect(run).toMatchObject({ exitCode: 0 });
    const { file, sizeBytes, createdAt } = JSON.parse(run.stdout);
    expect(pings.splice(0)).toEqual(['/ping/secret-uuid/start', '/ping/secret-uuid']);
    const facts = readFileSync(said, 'utf8');
    expect(facts).toContain(`AISEC_BACKUP_FILE=${file}\n`);
    expect(facts).toContain('AISEC_BACKUP_STATUS=success\n');
    expect(facts).not.toMatch(/DATABASE_URL|secret-uuid/);
    const text = readFileSync(metrics, 'utf8');
    const labels = `{database="${database().name}"}`;
    expect(text).toContain(`aisec_backup_last_success_timestamp_seconds${labels} ${Date.parse(createdAt) / 1000}\n`);
    expect(text).toContain(`aisec_backup_last_success_size_bytes${labels} ${sizeBytes}\n`);
    expect(text).toContain(`aisec_backup_last_run_success${labels} 1\n`);
    expect(statSync(metrics).mode & 0o777).toBe(0o644);
  });

  test('a failure: told as such, with the last success still in the metrics, and the exit code stays', async () => {
    const directory = await newDirectory();
    const metrics = `${directory}.prom`;
    expect(await backup(directory)).toMatchObject({ exitCode: 0 });
    const said = `${directory}.said`;
    const program = hook(directory, 'bad', `env > ${said}; echo "mail is down" >&2; exit 7`);
    await database().admin.query('begin; lock table voices in access exclusive mode');
    const args = ['--lock-timeout', '300ms', '--on-failure', program, '--prometheus', metrics];
    const run = await backup(directory, args, { env: { AISEC_PING_URL: pingUrl } });
    await database().admin.query('rollback');
    expectError(run, 5, 'a table was locked', `warning: ${program} failed: exit code 7: mail is down`);
    expect(pings.splice(0)).toEqual(['/ping/secret-uuid/start', '/ping/secret-uuid/fail']);
    expect(readFileSync(said, 'utf8')).toContain('AISEC_BACKUP_ERROR_CODE=LOCK_TIMEOUT\n');
    const text = readFileSync(metrics, 'utf8');
    expect(text).toMatch(/aisec_backup_last_run_success\{.*\} 0\n/);
    expect(text).toMatch(/aisec_backup_last_success_timestamp_seconds\{.*\} \d+/);
  });

  test('a watchdog that does not answer, or a program that is not there, is a warning without its address', async () => {
    const directory = await newDirectory();
    status = 503;
    const run = await backup(directory, ['--on-success', '/none'], { env: { AISEC_PING_URL: pingUrl } });
    status = 200;
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toMatch(/warning: could not reach the monitoring URL: 127\.0\.0\.1:\d+: it answered 503/);
    expect(run.stderr).toContain('warning: /none failed: it could not be started (ENOENT)');
    expect(run.stderr).not.toContain('secret-uuid');
    const wrong = await backup(`${directory}2`, [], { env: { AISEC_PING_URL: 'secret-uuid' } });
    expectError(wrong, 2, 'AISEC_PING_URL is not a URL');
    expect(wrong.stderr).not.toContain('secret-uuid');
    expect(existsSync(`${directory}2`)).toBe(false);
  });
});
