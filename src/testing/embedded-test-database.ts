import { Kysely } from 'kysely';

import { startSnapshot, type RunningSnapshot } from '../adapters/embedded/snapshot.js';
import { PoolDialect } from '../adapters/postgres/pool/pool-dialect.js';
import type { MigrationFile } from '../features/migrate/index.js';
import { tableCleaner } from './clear-tables.js';
import { forgetSnapshot, migratedSnapshot } from './snapshot.js';
import type { TestDatabase } from './test-database.js';

/** A damaged snapshot, such as one from a disk that was full, is made anew. */
async function start(files: readonly MigrationFile[], cacheDir: string): Promise<RunningSnapshot> {
  try {
    return await startSnapshot(await migratedSnapshot(files, cacheDir));
  } catch {
    await forgetSnapshot(files, cacheDir);
    return startSnapshot(await migratedSnapshot(files, cacheDir));
  }
}

/** A database in this process, in memory, started from a snapshot in the directory. */
export async function openEmbeddedTestDatabase<Tables>(
  cacheDir: string,
  files: readonly MigrationFile[],
): Promise<TestDatabase<Tables>> {
  const { engine, createPool } = await start(files, cacheDir);
  const clean = await tableCleaner(async <Row extends object>(text: string) => engine.query<Row>(text));
  const db = new Kysely<Tables>({ dialect: new PoolDialect({ createPool }) });
  return {
    db,
    url: undefined,
    reset: async () => {
      // Past the pool: a test may have left a transaction open, and with it the only connection.
      await engine.exec("rollback; reset all; set session authorization default; set time zone 'UTC'");
      await clean();
    },
    close: async () => {
      await db.destroy();
      await engine.close();
    },
  };
}
