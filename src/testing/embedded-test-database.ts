import { Kysely } from 'kysely';

import { startSnapshot, type RunningSnapshot } from '../adapters/embedded/snapshot.js';
import { resetSession } from '../adapters/postgres/pool/clean-session.js';
import { PoolDialect } from '../adapters/postgres/pool/pool-dialect.js';
import { AisecError, messageOf } from '../base/errors.js';
import { quoteIdentifier } from '../base/identifier.js';
import type { MigrationFile } from '../features/migrate/index.js';
import type { DB } from '../schema/index.js';
import { tableCleaner, type RunQuery } from './clear-tables.js';
import { createFactories } from './factories.js';
import { forgetSnapshot, migratedSnapshot, type MigratedSnapshot } from './snapshot.js';
import type { TestDatabase } from './test-database.js';

const SERVICE = 'aisec_test_service';

type Started = RunningSnapshot & Pick<MigratedSnapshot, 'tables'>;

async function startOnce(files: readonly MigrationFile[], cacheDir: string): Promise<Started> {
  const { tables, content } = await migratedSnapshot(files, cacheDir, SERVICE);
  return { ...(await startSnapshot(content)), tables };
}

/** A damaged snapshot, such as one from a disk that was full, is made again. */
async function start(files: readonly MigrationFile[], cacheDir: string): Promise<Started> {
  try {
    return await startOnce(files, cacheDir);
  } catch {
    await forgetSnapshot(files, cacheDir);
    return startOnce(files, cacheDir);
  }
}

function connectError(error: unknown): Error {
  if (!messageOf(error).includes('timeout exceeded when trying to connect')) return error as Error;
  return new AisecError('DATABASE_UNREACHABLE', 'the database in this process has one session, which is in use', {
    detail: 'A query outside of a transaction waits for its end, and the transaction for the query.',
    hint: 'Use the transaction, or a server: createTestDatabase({ url }).',
    cause: error,
  });
}

/** A database in this process, in memory, started from a snapshot in the directory. */
export async function openEmbeddedTestDatabase<Tables>(
  cacheDir: string,
  files: readonly MigrationFile[],
): Promise<TestDatabase<Tables>> {
  const { engine, superuser, poolAs, forgetLogin, tables } = await start(files, cacheDir);
  const query: RunQuery = async <Row extends object>(text: string) => engine.query<Row>(text);
  const clean = tableCleaner(query, tables);
  const open = (role: string): Kysely<Tables> =>
    new Kysely({
      dialect: new PoolDialect({
        createPool: () => Promise.resolve(poolAs(role)),
        translateConnectError: connectError,
      }),
    });
  const [db, admin] = [open(SERVICE), open(superuser)];
  const { make, restart } = createFactories(admin as unknown as Kysely<DB>);
  return {
    db,
    admin,
    make,
    role: SERVICE,
    url: undefined,
    reset: async () => {
      // Past the pool: a test may have left a transaction open, and with it the only connection.
      await engine.exec('rollback');
      await engine.exec(resetSession(quoteIdentifier(superuser)));
      forgetLogin();
      await clean();
      restart();
    },
    close: async () => {
      await db.destroy();
      await admin.destroy();
      await engine.close();
    },
  };
}
