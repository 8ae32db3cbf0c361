import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { writeMigrations } from '../support/migrations-folder.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'aisec-test-lost-'));
const migrations = writeMigrations({ '0001_one': 'create table one (id int);' }, path.join(scratch, 'migrations'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A pipeline whose secret is empty or misspelt must not end green on a database that nobody will look at. */
describe('migrate up whose server did not arrive', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(path.join(scratch, 'cwd-'));
  });

  const up = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${migrations}`, ...args], { env, cwd });
  const refused = (run: CliResult, message: string): void => {
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(`error: ${message}`);
    expect(run.stderr).toContain('\nhint: ');
    expect(existsSync(path.join(cwd, '.aisec'))).toBe(false);
  };

  test.each(['DATABASE_URL', 'AISEC_DATABASE_URL_FILE', 'PGHOST', 'PGSERVICE', 'PGDATABASE'])(
    'makes no database when %s is set but empty, and neither does its dry run',
    async (variable) => {
      refused(await up({ [variable]: '' }), `${variable} is set but empty`);
      refused(await up({ [variable]: '' }, '--dry-run'), `${variable} is set but empty`);
    },
  );

  test('makes no database when .env has an empty address', async () => {
    writeFileSync(path.join(cwd, '.env'), 'DATABASE_URL=\n');
    refused(await up({}), 'DATABASE_URL is set but empty');
  });

  test('makes no database without a terminal, or in CI, unless --embedded says so', async () => {
    refused(await up({}), 'no database is configured');
    refused(await up({ CI: 'true' }), 'no database is configured');
    const run = await up({ CI: 'true', DATABASE_URL: '' }, '--embedded');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(readdirSync(path.join(cwd, '.aisec'))).toContain('pgdata');
    execFileSync('git', ['init', '--quiet'], { cwd });
    expect(execFileSync('git', ['status', '--porcelain'], { cwd, encoding: 'utf8' })).not.toContain('.aisec');
    expect(await up({ CI: 'true' })).toMatchObject({ exitCode: 0 });
    refused2(await up({ DATABASE_URL: '' }));
  });

  /** The database that is there was not meant, either. */
  function refused2(run: CliResult): void {
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain('error: DATABASE_URL is set but empty');
  }

  test('refuses --embedded beside a server', async () => {
    const run = await up({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, '--embedded');
    refused(run, '--embedded, but DATABASE_URL names a server');
  });

  test('names the directory above that has the database or its address', async () => {
    writeFileSync(path.join(cwd, '.env'), 'DATABASE_URL=postgres://nobody@127.0.0.1:1/none\n');
    const below = path.join(cwd, 'packages', 'api');
    mkdirSync(below, { recursive: true });
    for (const verb of ['up', 'status']) {
      const args = ['migrate', verb, '--migrations-dir', `aisec=${migrations}`];
      const run = await runInProcess(args, { env: {}, cwd: below });
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain(`There is ${cwd}/.env.`);
    }
  });
});

test('a password in a variable that should hold none is never repeated', async () => {
  for (const variable of ['PGDATABASE', 'PGHOST', 'PGUSER', 'PGPORT', 'PGPASSFILE', 'PGSSLROOTCERT']) {
    for (const value of ['postgres://u:s3cretpw@h/d', 'host=h password=s3cretpw']) {
      const run = await runInProcess(['migrate', 'status'], { env: { PGHOST: '127.0.0.1', [variable]: value } });
      expect(run).toMatchObject({ exitCode: 2, stdout: '' });
      expect(run.stderr).toContain(`${variable} holds a whole connection string`);
      expect(run.stderr).not.toContain('s3cretpw');
    }
  }
});

test('an address in a setting that is none, or in a flag, is never repeated', async () => {
  const address = 'postgres://u:s3cretpw@h/d';
  const runs = [
    ...['AISEC_DATABASE_URL_FILE', 'AISEC_SCHEMA', 'AISEC_ROLE', 'AISEC_DATA_DIR', 'AISEC_MIGRATIONS_DIR'].map(
      (variable) => ({ named: variable, args: [], env: { [variable]: address } }),
    ),
    ...['--database-url-file', '--schema'].map((flag) => ({ named: flag, args: [flag, address], env: {} })),
  ];
  for (const { named, args, env } of runs) {
    const run = await runInProcess(['migrate', 'status', ...args], { env });
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
    expect(run.stderr).toContain(`${named} holds the address of a database`);
    expect(run.stderr).not.toContain('s3cretpw');
  }
});
