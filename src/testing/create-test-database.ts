import { resolve } from 'node:path';

import { migrationPlaces } from '../config/migration-places.js';
import { readMigrations } from '../features/migrate/index.js';
import type { DB } from '../schema/index.js';
import type { TestDatabase, TestDatabaseOptions } from './test-database.js';

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
  const { url, cacheDir = '.aisec/test-snapshots' } = options;
  const cwd = process.cwd();
  const files = await readMigrations(migrationPlaces(options.migrationsDir, cwd), cwd);
  if (url === undefined) {
    const { openEmbeddedTestDatabase } = await import('./embedded-test-database.js');
    return openEmbeddedTestDatabase<Tables>(resolve(cacheDir), files);
  }
  const { openServerTestDatabase } = await import('./server-test-database.js');
  return openServerTestDatabase<Tables>(url, files);
}
