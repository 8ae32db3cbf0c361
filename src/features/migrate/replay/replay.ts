import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { MigrationFile } from '../files/migration-file.js';
import type { Waits } from '../prepare.js';
import { migrateUp } from '../up.js';
import { keepReplay, readReplay, replayKey, type ReplayNames } from './cache.js';

/** Runs the callback with a session on a new, empty database that only it uses, with the schema names of the command. */
export type WithScratch = <Result>(use: (session: Session) => Promise<Result>) => Promise<Result>;

export interface ReplayOptions extends ReplayNames {
  readonly withScratch: WithScratch;
  /** Replays are kept there, by the checksums of their files; undefined: none is kept. */
  readonly cacheDir: string | undefined;
  readonly onProgress: (text: string) => void;
}

/** No other session is in a database in memory. */
export const NO_WAITS = { lockTimeoutMs: 0, maxWaitMs: 0, waitMs: 0 } as const satisfies Waits;

/** Roles belong to a server and are not made by most migrations that grant to them. */
const MOST_ROLES = 100;

function missingRole(error: unknown): string | undefined {
  if (!isAisecError(error) || error.sqlState !== '42704') return undefined;
  return /role "(.+)" does not exist/.exec(error.message)?.[1];
}

async function createExtensionSchema(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query('select from pg_catalog.pg_namespace where nspname = $1', [schema]);
  if (rows.length === 0) await session.query(`create schema ${quoteIdentifier(schema)}`);
}

function unverified(file: MigrationFile): MigrationFile {
  return { ...file, verification: undefined };
}

/**
 * Applies the migrations to a new, empty database. In memory a role that they grant to and do not make is made: it is
 * expected of the server, and on a server it would stay. Checks of migrations may count on rows, so they are left out unless
 * the run is about them.
 *
 * @throws AisecError MIGRATION_FAILED and what `migrateUp` throws.
 */
export async function applyToScratch(
  session: Session,
  files: readonly MigrationFile[],
  { schema, extensionSchema, verifies = false }: ReplayNames & { readonly verifies?: boolean },
  onProgress: (text: string) => void,
): Promise<void> {
  await createExtensionSchema(session, extensionSchema);
  const options = {
    files: verifies ? files : files.map(unverified),
    schema,
    extensionSchema,
    to: undefined,
    allowsLate: true,
    ...NO_WAITS,
  };
  for (let roles = 0; ; roles += 1) {
    try {
      await migrateUp(session, options, { onProgress, onWarning: () => undefined });
      return;
    } catch (error) {
      const role = missingRole(error);
      if (role === undefined || roles === MOST_ROLES || session.info.kind === 'server') throw error;
      await session.query(`create role ${quoteIdentifier(role)} nologin`);
    }
  }
}

const IN_MEMORY_ONLY =
  'The embedded PostgreSQL has vector and pgcrypto only. With --server the replay is in a scratch database on the server (needs CREATEDB).';

/** What is replayed is what was recorded, so that no file could be fixed for it. */
function hintOf(error: AisecError, isOnServer: boolean): string | undefined {
  if (error.code === 'EXTENSION_MISSING' && !isOnServer) return IN_MEMORY_ONLY;
  if (error.code !== 'MIGRATION_FAILED') return error.hint;
  const other = isOnServer ? '' : ` ${IN_MEMORY_ONLY}`;
  return `Does each migration run on an empty database? See: aisec migrate test.${other}`;
}

function replayFailed(error: unknown, isOnServer: boolean): unknown {
  if (!isAisecError(error) || endsRun(error)) return error;
  const where = isOnServer ? 'a scratch database on the server' : 'the embedded PostgreSQL';
  return new AisecError(error.code, `could not replay the migrations in ${where}: ${error.message}`, {
    detail: error.detail,
    hint: hintOf(error, isOnServer),
    sqlState: error.sqlState,
    position: error.position,
    cause: error,
  });
}

/**
 * The catalog that the migrations make, on their own, on an empty database: replayed, or read from the cache when these
 * very files were replayed before. History tables and data are left out.
 *
 * @throws AisecError as `migrateUp`, when a file does not run there.
 */
export async function replayedCatalog(
  files: readonly MigrationFile[],
  options: ReplayOptions,
): Promise<CatalogSnapshot> {
  const key = replayKey(files, options);
  const kept = options.cacheDir === undefined ? undefined : readReplay(options.cacheDir, key);
  if (kept !== undefined) return kept;
  const isOnServer = options.scratchServerVersion !== undefined;
  options.onProgress(`replaying the migrations ${isOnServer ? 'in a scratch database on the server' : 'in memory'}`);
  try {
    const catalog = await options.withScratch(async (session) => {
      if (files.length > 0) await applyToScratch(session, files, options, options.onProgress);
      return readCatalog(session, { schema: options.schema, withoutHistory: true });
    });
    if (options.cacheDir !== undefined) keepReplay(options.cacheDir, key, catalog);
    return catalog;
  } catch (error) {
    throw replayFailed(error, isOnServer);
  }
}
