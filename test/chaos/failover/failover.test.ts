import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { beforeEach, expect, onTestFailed, test } from 'vitest';

import { createCache, createDatabase } from '../../../src/index.js';
import { chance, rounds } from '../../support/chance.js';
import { expectError } from '../../support/expect-error.js';
import { describeOnPrivateServer } from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { writeMigrations } from '../../support/migrations-folder.js';
import { COMMANDS, type Command } from './commands.js';
import { Pair, Tripwire } from './pair.js';

describeOnPrivateServer('a failover in the middle of a command', () => {
  let pair: Pair;

  beforeEach(async () => {
    pair ??= await Pair.start();
    await pair.completed();
  });
  const both = (): Readonly<Record<string, string>> => ({ DATABASE_URL: pair.url() });
  /** Until a session of a command waits for a lock. */
  const untilSomethingWaits = (): Promise<void> =>
    waitFor(async () => {
      const { rows } = await pair.admin.query(
        "select from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'aisec %'",
      );
      return rows.length > 0;
    });

  test('migrate up begins again on the new primary, and what was applied is not applied twice', async () => {
    const directory = writeMigrations(
      {
        '0001_one': 'create table one (id int);',
        '0002_two': 'select pg_advisory_xact_lock(42); create table two (id int);',
        '0003_three': 'create table three (id int);',
      },
      path.join(mkdtempSync(path.join(tmpdir(), 'aisec-test-failover-')), 'migrations'),
    );
    const args = ['migrate', 'up', '--migrations-dir', `own=${directory}`, '--lock-timeout', '1min'];
    const holder = await pair.connect();
    await holder.query('select pg_advisory_lock(42)');
    const running = runInProcess([...args, '--max-wait', '60s'], { env: both() });
    await untilSomethingWaits();
    await pair.failOver();
    const run = await running;
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stderr).toContain(
      'lost the connection to the database; migrate up begins again on the server that is there',
    );
    const { rows } = await pair.admin.query(
      "select to_regclass('one') is not null and to_regclass('three') is not null as ok",
    );
    expect(rows).toEqual([{ ok: true }]);
    expect(await runInProcess([...args, '--quiet'], { env: both() })).toMatchObject({ exitCode: 0 });
  });

  /** Runs a command with a failover after so many pieces of its traffic. */
  const tryOut = async ({ name, prepare }: Command, pieces: number, round: number): Promise<void> => {
    const { args, outlives, isDone, isHalfDone } = await prepare(pair.admin, round);
    const tripwire = await Tripwire.start(pair.primaryUrl, pieces, () => pair.failOver());
    // It may come while the first connection is made.
    const env = { DATABASE_URL: pair.url(tripwire.host), AISEC_WAIT_FOR_DATABASE: '60s' };
    const cut = await runInProcess(args, { env });
    await tripwire.end();
    const { isTripped } = tripwire;
    const what = { name, pieces, isTripped, stdout: cut.stdout, stderr: cut.stderr };
    const well = name === 'doctor' ? [0, 3] : [0];
    expect({ ...what, exitCode: cut.exitCode }).toEqual({
      ...what,
      exitCode: expect.toBeOneOf(outlives ? well : [...well, 4]),
    });
    if (cut.exitCode === 4) expect(what).toMatchObject({ isTripped: true, stderr: expect.stringContaining('hint: ') });
    expect({ ...what, isHalfDone: (await isHalfDone?.(pair.admin)) ?? false }).toEqual({ ...what, isHalfDone: false });
    if (cut.exitCode === 4) {
      const again = await runInProcess(args, { env: { DATABASE_URL: pair.primaryUrl } });
      expect({ ...what, again }).toEqual({
        ...what,
        again: expect.objectContaining({ exitCode: expect.toBeOneOf(well) }),
      });
    }
    expect({ ...what, isDone: await isDone(pair.admin) }).toEqual({ ...what, isDone: true });
  };

  test('leaves nothing half-done, wherever it comes', { timeout: 600_000 }, async () => {
    const random = chance();
    const log: string[] = [];
    onTestFailed(() => console.log(log.join('\n')));
    const left: Command[] = [];
    for (let round = 1; round <= rounds(3, 20); round += 1) {
      await pair.completed();
      if (left.length === 0) left.push(...COMMANDS);
      const [command] = left.splice(Math.floor(random() * left.length), 1);
      if (command === undefined) continue;
      const pieces = 1 + Math.floor(random() * command.pieces);
      log.push(`${command.name} until piece ${pieces}`);
      await tryOut(command, pieces, round);
    }
  });

  test('a service follows the primary: its pool, and the cache that hears of changes', async () => {
    const db = createDatabase<{ system_settings: { key: string; value: unknown } }>({ url: pair.url(), poolSize: 2 });
    const cache = createCache({ url: pair.url(), redisUrl: undefined });
    const change = (value: string): Promise<unknown> =>
      pair.admin.query(
        `insert into system_settings (key, value) values ('failover', to_jsonb($1::text)) on conflict (key) do update set value = excluded.value`,
        [value],
      );
    const cached = async (): Promise<unknown> => (await cache.setting('failover'))?.value;
    await change('before');
    expect(await cache.ready(60_000)).toBe(true);
    expect(await cached()).toBe('before');
    expect(await db.selectFrom('system_settings').select('value').where('key', '=', 'failover').execute()).toHaveLength(
      1,
    );
    await pair.failOver();
    // What is waiting in the pool is dropped; the first query may find that out.
    await waitFor(async () =>
      db
        .selectFrom('system_settings')
        .select('value')
        .execute()
        .then(
          () => true,
          () => false,
        ),
    );
    await waitFor(async () => cache.status().isListening);
    expect(await cached()).toBe('before');
    await change('after');
    await waitFor(async () => (await cached()) === 'after');
    await db
      .updateTable('system_settings')
      .set({ value: JSON.stringify('by the pool') })
      .where('key', '=', 'failover')
      .execute();
    await cache.sync();
    expect(await cached()).toBe('by the pool');
    await Promise.all([cache.close(), db.destroy()]);
  });

  test('a standby is refused with exit 5 where a command writes', async () => {
    const env = { DATABASE_URL: pair.standbyUrl };
    const refused = async (...args: readonly string[]): Promise<void> => {
      const run = await runInProcess(args, { env });
      expect({ args, ...run }).toMatchObject({ args, exitCode: 5, stdout: '' });
      expect(run.stderr).toContain('hint: ');
    };
    const own = writeMigrations(
      { '0001_four': 'create table four (id int);' },
      path.join(mkdtempSync(path.join(tmpdir(), 'aisec-test-failover-')), 'migrations'),
    );
    await refused('migrate', 'up', '--migrations-dir', `other=${own}`);
    await refused('partitions', 'ensure', '--ahead', '99');
    await refused('monitor', 'record');
    await refused('seed');
    expect(await runInProcess(['doctor'], { env })).not.toMatchObject({ exitCode: 1 });
    expect(await runInProcess(['monitor', 'tables'], { env })).toMatchObject({ exitCode: 0 });
  });

  test('a command whose servers are all gone ends with exit 4 when its time is over', async () => {
    const holder = await pair.connect();
    await holder.query('begin; lock table messages in share mode');
    const last = runInProcess(['partitions', 'ensure', '--ahead', '99', '--max-wait', '3s'], { env: both() });
    await untilSomethingWaits();
    await pair.loseAll();
    expectError(await last, 4, 'none of the servers', 'Nothing listens there.');
  });
});
