import { resolve } from 'node:path';

import { Kysely, sql } from 'kysely';

import { startSnapshot, type RunningSnapshot } from '../adapters/postgres/embedded-snapshot.js';
import { PoolDialect } from '../adapters/postgres/pool-dialect.js';
import { sqlFile } from '../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../base/identifier.js';
import { packageFile } from '../base/package-file.js';
import type { DB } from '../schema/index.js';
import { forgetSnapshot, migratedSnapshot } from './snapshot.js';

export interface TestDatabaseOptions {
  /** Migrations to apply. Default: those of the package. */
  readonly migrationsDir?: string;
  /** Where snapshots are kept, 12 MB each. Default: `.aisec/test-snapshots`. */
  readonly cacheDir?: string;
}

export interface TestDatabase<Tables = DB> {
  /** Works with `withUser` as a database of createDatabase does; outside of it, as the superuser. */
  readonly db: Kysely<Tables>;
  /** Removes all rows, and what tests have set in the session. A change of the schema stays. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** A damaged snapshot, such as one from a disk that was full, is made anew. */
async function start(migrationsDir: string, cacheDir: string): Promise<RunningSnapshot> {
  try {
    return await startSnapshot(await migratedSnapshot(migrationsDir, cacheDir));
  } catch {
    await forgetSnapshot(migrationsDir, cacheDir);
    return startSnapshot(await migratedSnapshot(migrationsDir, cacheDir));
  }
}

/**
 * A database of its own in this process, in memory, with the whole schema: tables, policies, functions, the months ahead.
 * The first call after a change of the migrations takes seconds and keeps a snapshot, the next ones start from it.
 *
 * It is PostgreSQL 18 with one session: no two transactions at once, so locks and logins need a server.
 *
 * @throws AisecError MIGRATION_FILE_INVALID, MIGRATION_FAILED, CONFIG_INVALID.
 * @example
 * const test = await createTestDatabase();
 * afterEach(() => test.reset());
 * afterAll(() => test.close());
 */
export async function createTestDatabase<Tables = DB>(
  options: TestDatabaseOptions = {},
): Promise<TestDatabase<Tables>> {
  const migrationsDir = resolve(options.migrationsDir ?? packageFile('migrations'));
  const { engine, createPool } = await start(migrationsDir, resolve(options.cacheDir ?? '.aisec/test-snapshots'));
  const db = new Kysely<Tables>({ dialect: new PoolDialect({ createPool }) });
  const { rows } = await sql<{ name: string }>`${sql.raw(sqlFile('testing/tables'))}`.execute(db);
  const tables = rows.map(({ name }) => quoteIdentifier(name));
  const filled = tables.map(
    (name) => `select '${name.replaceAll("'", "''")}' as name where exists (select from ${name})`,
  );
  return {
    db,
    reset: async () => {
      // Past the pool: a test may have left a transaction open, and with it the only connection.
      await engine.exec("rollback; reset all; set session authorization default; set time zone 'UTC'");
      const found = await engine.query<{ name: string }>(filled.join(' union all '));
      const names = found.rows.map(({ name }) => name);
      if (names.length > 0) await engine.exec(`truncate ${names.join(', ')} restart identity cascade`);
    },
    close: async () => {
      await db.destroy();
      await engine.close();
    },
  };
}
