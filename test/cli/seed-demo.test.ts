import { beforeAll, describe, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { createMigratedEmbedded, queryEmbedded } from '../support/migrated-embedded.js';
import { onTerminal } from '../support/on-terminal.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const SMALL = ['--messages', '400', '--embeddings', '5', '--users', '4', '--until', '2026-06-01'];

test('aisec seed demo writes its rows to the embedded database', async () => {
  const dataDir = await createMigratedEmbedded();
  const run = await runInProcess(['seed', 'demo', ...SMALL], { env: { AISEC_DATA_DIR: dataDir } });
  expect(run).toMatchObject({ exitCode: 0 });
  expect(await queryEmbedded(dataDir, 'select count(*)::int as n from messages')).toEqual([{ n: 400 }]);
});

describeOnServer('aisec seed demo', () => {
  let database: ServerDatabase;
  const env = (): Readonly<Record<string, string>> => ({ DATABASE_URL: database.url });
  const demo = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['seed', 'demo', ...args], { env: env() });
  const countMessages = async (): Promise<readonly unknown[]> =>
    (await database.admin.query('select count(*)::int as n from messages')).rows;
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    const initial = await runInProcess(['seed'], {
      env: { ...env(), AISEC_ADMIN_PASSWORD: 'only-Pferd-in-town-42' },
    });
    expect(initial.exitCode).toBe(0);
  });

  test('as a dry run lists the rows of every table and writes none', async () => {
    const result = await demo('--dry-run', ...SMALL);
    expect(result.exitCode).toBe(0);
    expect(result.stdout.split('\n').slice(0, 2)).toEqual(['table\trows', 'users\t4']);
    expect(result.stdout).toContain('messages\t400');
    expect(await countMessages()).toEqual([{ n: 0 }]);
  });

  test('beside the settings and the admin of aisec seed needs no --yes and writes what the dry run said', async () => {
    const planned = JSON.parse((await demo('--dry-run', '--json', ...SMALL)).stdout);
    const result = await demo('--json', ...SMALL);
    expect(result.exitCode).toBe(0);
    const written = JSON.parse(result.stdout);
    expect(written).toMatchObject({
      schema: 'public',
      isDryRun: false,
      users: 4,
      conversations: 10,
      messages: 400,
      embeddings: 5,
      months: 6,
      seed: '1',
      locale: 'ja',
      from: '2025-12-01',
      until: '2026-06-01',
      tablesWithRows: [],
    });
    expect(written.tables).toEqual(planned.tables);
    expect(Number.isInteger(written.durationMs) && Number.isInteger(written.rowsPerSecond)).toBe(true);
    expect(result.stderr).toContain('No one can log in as a demo user');
    expect(result.stderr).not.toContain('warning');
    expect(await countMessages()).toEqual([{ n: 400 }]);
  });

  test('a second time has nothing to do', async () => {
    const result = await demo(...SMALL);
    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(result.stderr).toContain('nothing to do');
  });

  test('with the same seed and other numbers is refused, also with --yes, since the keys would be the same', async () => {
    const result = await demo(...SMALL, '--users', '9', '--yes');
    expect(result.exitCode).toBe(6);
    expect(result.stderr).toContain('--seed');
  });

  test('where there are rows of others is refused, exit 6, names the tables, and with --yes adds to them', async () => {
    const refused = await demo(...SMALL, '--seed', 'two');
    expect(refused).toMatchObject({ exitCode: 6, stdout: '' });
    expect(refused.stderr).toMatch(/users, voices.*messages/);
    expect(refused.stderr).toContain('--yes');
    expect((await demo(...SMALL, '--seed', 'two', '--yes')).exitCode).toBe(0);
    expect(await countMessages()).toEqual([{ n: 800 }]);
  });

  test('on a terminal asks for the name of the database before rows are mixed', async () => {
    const line = `aisec seed demo ${SMALL.join(' ')} --seed three`;
    const wrong = await onTerminal(`echo no | ${line}`, env());
    expect(wrong.exitCode).toBe(6);
    expect(wrong.screen).toContain('messages');
    expect(await countMessages()).toEqual([{ n: 800 }]);
  });
});

describe('aisec seed demo', () => {
  test.each([
    ['--users', '0'],
    ['--messages', '-1'],
    ['--messages', '1e3'],
    ['--messages', '100000001'],
    ['--embeddings', 'many'],
    ['--months', '0'],
    ['--months', '241'],
    ['--locale', 'fr'],
    ['--until', '2025-02-30'],
    ['--until', '2999-01-01'],
    ['--seed', 'a b'],
    ['--conversations', '0'],
    ['--wait', 'soon'],
  ])('with %s %s exits 2 before anything is opened', async (flag, value) => {
    const result = await runInProcess(['seed', 'demo', flag, value], {
      env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' },
    });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toMatch(/^error: /);
    expect(result.stderr).toContain('hint: ');
  });

  test('refuses an option that only aisec seed has, instead of ignoring it', async () => {
    const result = await runInProcess(['seed', 'demo', '--set', 'initial']);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('unknown option "--set"');
  });

  test('without a database says how to get one', async () => {
    const result = await runInProcess(['seed', 'demo']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('aisec migrate up');
  });
});
