import { resolve } from 'node:path';

import { AisecError } from '../base/errors.js';
import { checkOptions } from '../client/check-arguments.js';
import { settingValue } from '../config/config.js';
import { loadEnvironment, processEnvironment } from '../config/environment.js';
import { migrationPlaces } from '../config/migration-places.js';
import { readMigrations } from '../features/migrate/index.js';
import type { DB } from '../schema/index.js';
import type { TestDatabase, TestDatabaseOptions } from './test-database.js';

const OPTIONS: Readonly<Record<keyof TestDatabaseOptions, true>> = { migrationsDir: true, cacheDir: true, url: true };

/** The team's own migrations, as the command line finds them. */
function configuredDir(cwd: string): string | undefined {
  return settingValue('migrationsDir', {}, loadEnvironment(processEnvironment(), cwd).variables);
}

/** PGlite imports modules when it starts. Jest refuses that so late that no test could report it: the process ends. */
function refuseJestWithoutModules(): void {
  const environment = processEnvironment();
  if (environment['JEST_WORKER_ID'] === undefined) return;
  const flags = [...process.execArgv, environment['NODE_OPTIONS'] ?? ''].join(' ');
  if (flags.includes('--experimental-vm-modules')) return;
  throw new AisecError('USAGE', 'the test database in this process needs a flag of Node under Jest', {
    hint: 'Run: NODE_OPTIONS=--experimental-vm-modules npx jest, or use a server: createTestDatabase({ url }).',
  });
}

/**
 * A database of its own with the whole schema: tables, policies, functions, the months ahead.
 *
 * In this process, in memory, unless there is a `url`. The first call after a change of the migrations takes seconds and
 * keeps a snapshot, the next ones start from it. It is PostgreSQL 18 with one session: no two transactions at once, so
 * locks and logins need a server.
 *
 * With `url`, a copy of a template database that the first call makes there. `close` drops the copy; copies of processes
 * that were killed are dropped by the next call, a template by the first that makes another a week after its last use.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, MIGRATION_FAILED, CONFIG_INVALID, DATABASE_*.
 * @example
 * const test = await createTestDatabase();
 * afterEach(() => test.reset());
 * afterAll(() => test.close());
 */
export async function createTestDatabase<Tables = DB>(
  options: TestDatabaseOptions = {},
): Promise<TestDatabase<Tables>> {
  checkOptions('createTestDatabase', options, OPTIONS, 'USAGE');
  const { url, cacheDir = '.aisec/test-snapshots' } = options;
  const cwd = process.cwd();
  const files = await readMigrations(migrationPlaces(options.migrationsDir ?? configuredDir(cwd), cwd), cwd);
  if (url === undefined) {
    refuseJestWithoutModules();
    const { openEmbeddedTestDatabase } = await import('./embedded-test-database.js');
    return openEmbeddedTestDatabase<Tables>(resolve(cacheDir), files);
  }
  const { openServerTestDatabase } = await import('./server-test-database.js');
  return openServerTestDatabase<Tables>(url, files);
}
