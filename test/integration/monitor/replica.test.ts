import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { MonitoredIndex } from '../../../src/features/monitor/indexes/indexes.js';
import { databaseAddress } from '../../support/database-address.js';
import { describeOnPrivateServer, startPrivateServer, startStandby } from '../../support/private-server.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';

interface Document {
  readonly windowMs: number;
  readonly indexes: readonly MonitoredIndex[];
  readonly replicas: readonly object[];
}

describeOnPrivateServer('aisec monitor indexes with a replica', () => {
  let url = '';
  let replicaUrl = '';
  let admin: pg.Client;
  let reader: pg.Client;
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['monitor', 'indexes', '--unused-after', '0s', ...args], { env: { DATABASE_URL: url } });
  const find = ({ stdout }: CliResult, name: string): MonitoredIndex | undefined =>
    (JSON.parse(stdout) as Document).indexes.find(({ index }) => index === name);

  beforeAll(async () => {
    const server = await startPrivateServer({ fsync: 'off' });
    url = await server.createDatabase('sales', { migrated: true });
    admin = new pg.Client({ connectionString: url });
    await admin.connect();
    await admin.query(`
      create table plain (id int primary key, a int, b int);
      create index seen_elsewhere on plain (a);
      create index seen_nowhere on plain (b);
      insert into plain select g, g, g from generate_series(1, 1000) as g`);
    await admin.query('analyze plain');
    // The server asks this role, and no other one, for its password.
    await admin.query(`create role aisec_test_password login password 'geheim'`);
    const standby = await startStandby(server, { fsync: 'off' });
    replicaUrl = databaseAddress(standby.url, 'sales');
    reader = new pg.Client({ connectionString: replicaUrl });
    await reader.connect();
    await waitFor(
      async () => (await reader.query(`select where to_regclass('seen_nowhere') is not null`)).rowCount === 1,
    );
    await reader.query('set enable_seqscan to off');
    for (let scan = 0; scan < 9; scan += 1) await reader.query('select from plain where a = 7');
    await reader.query('select pg_stat_force_next_flush()');
    await reader.query('select 1');
  });
  afterAll(async () => {
    await admin.end();
    await reader.end();
  });

  test('a migration is refused on the replica, before anything is tried', async () => {
    const run = await runInProcess(['migrate', 'up', '--schema', 'other'], { env: { DATABASE_URL: replicaUrl } });
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(run.stderr).toMatch(/^error: database "sales" .* accepts no writes\nhint: /m);
  });

  test('an index that only the replica scans is unused without it, and used with it', async () => {
    const [alone, together] = [await aisec('--json'), await aisec('--json', '--replica', replicaUrl)];
    expect(find(alone, 'seen_elsewhere')).toMatchObject({ verdict: 'unused', scans: 0, replicaScans: null });
    expect(find(together, 'seen_elsewhere')).toMatchObject({
      verdict: 'used',
      reason: expect.stringMatching(/^on .*sales.* only$/),
      scans: 0,
      replicaScans: 9,
      lastScanAt: expect.stringMatching(/Z$/),
    });
    expect(find(together, 'seen_nowhere')).toMatchObject({
      verdict: 'unused',
      reason: expect.stringContaining('here or on a replica'),
      replicaScans: 0,
    });
    expect((JSON.parse(together.stdout) as Document).replicas).toEqual([
      expect.objectContaining({ isStandby: true, windowMs: expect.any(Number) }),
    ]);
  });

  test('the replica takes user, password and database from the server, shows its scans in a column, and says since when it counts', async () => {
    const { host } = new URL(replicaUrl);
    const withPassword = Object.assign(new URL(url), { username: 'aisec_test_password', password: 'geheim' }).href;
    const run = await runInProcess(['monitor', 'indexes', '--replica', `postgres://${host}`], {
      env: { DATABASE_URL: withPassword },
    });
    expect(run.exitCode).toBe(0);
    expect(`${run.stdout}${run.stderr}`).not.toContain('geheim');
    const [head = '', ...rows] = run.stdout.split('\n');
    const column = head.split('\t').indexOf('replica scans');
    expect(rows.find((row) => row.startsWith('seen_elsewhere\t'))?.split('\t')[column]).toBe('9');
    expect(run.stderr).toMatch(/^Replica .*sales.* counts since \d{4}-.*Z, .*\.$/m);
  });

  test('nothing is unused while the replica has counted for less time than asked, though the server has', async () => {
    const { windowMs } = JSON.parse((await aisec('--json')).stdout) as Document;
    await reader.query('select pg_stat_reset()');
    const asked = ['--json', '--unused-after', `${windowMs}ms`];
    const [alone, together] = [await aisec(...asked), await aisec(...asked, '--replica', replicaUrl)];
    expect(find(alone, 'seen_nowhere')).toMatchObject({ verdict: 'unused' });
    expect(find(together, 'seen_nowhere')).toMatchObject({
      verdict: 'undecided',
      reason: expect.stringMatching(/^too early: no scan, counted for /),
    });
  });

  test('a replica that cannot be reached, is the server itself or comes with a password is refused', async () => {
    const unreachable = await aisec('--replica', 'postgres://127.0.0.1:1/sales');
    expect(unreachable).toMatchObject({ exitCode: 4, stdout: '' });
    const itself = await aisec('--replica', url);
    expect(itself).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('is the server itself') });
    const secret = await aisec('--replica', 'postgres://postgres:geheim@127.0.0.1/sales');
    expect(secret).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/--replica carries a password[\s\S]*~\/\.pgpass/),
    });
    expect(secret.stderr).not.toContain('geheim');
    const none = await runInProcess(['monitor', 'indexes', '--replica', replicaUrl]);
    expect(none).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
