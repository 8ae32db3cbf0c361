import { basename, dirname } from 'node:path';

import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import { loadOptional } from '../../base/package/optional-package.js';
import type { EmbeddedTarget } from '../../config/database-target.js';
import { meantAbove } from '../../config/meant-above.js';
import { tryDirectoryLock } from '../files/directory-lock.js';
import { makeDirectory } from '../files/make-directory.js';
import { describeEmbedded, embeddedError, lockedError } from './error.js';
import { emptyDatabaseTar, unpackTar } from './empty-database.js';
import { createWhole, hasDatabase } from './directory.js';
import { onDemand } from './extension-on-demand.js';
import { memoryFileSystem } from './memory-file-system.js';
import { finishSwap, isSwapUnfinished } from './swap.js';
import { ownMemory, TarBlob } from './tar-blob.js';
import type { OpenOptions } from '../postgres/open-options.js';
import { pinnedSettings } from '../postgres/pinned-settings.js';
import { Session } from '../postgres/session.js';
import { identifySession } from '../postgres/session-settings.js';
import { shellWord } from '../../base/package/aisec-command.js';

/**
 * The engine zeroes all of it at each start: PostgreSQL's 128 MB take half a second, 16 MB a quarter of a start. Measured:
 * loads, joins and updates of 60,000 rows take no longer with 2 MB, since what is missing comes from the page cache.
 */
const BUFFERS = 'shared_buffers=2MB';
/** Log segments of 1 MB: one of 16 MB, nearly all zeros, is two fifths of an empty database. */
const SMALL_LOG = ['--wal-segsize=1'];

export interface EngineOptions {
  /** A tar archive of a data directory to start from. The engine takes its memory over. */
  readonly snapshot?: Buffer<ArrayBuffer>;
  /** `name=value`, besides those of aisec. */
  readonly settings?: readonly string[];
}

/** `dataDir` undefined: in memory. */
export async function startPGlite(dataDir: string | undefined, options: EngineOptions = {}): Promise<PGlite> {
  const { snapshot, settings = [] } = options;
  // The engine would make it one that every user can enter.
  if (dataDir !== undefined) makeDirectory(dataDir);
  const [{ PGlite: Engine, MemoryFS }, { vector }, { pgcrypto }] = await loadOptional(
    '@electric-sql/pglite @electric-sql/pglite-pgvector',
    'the embedded database',
    () =>
      Promise.all([
        import('@electric-sql/pglite'),
        import('@electric-sql/pglite-pgvector'),
        import('@electric-sql/pglite/contrib/pgcrypto'),
      ]),
  );
  return Engine.create({
    ...(dataDir !== undefined && { dataDir }),
    ...(snapshot !== undefined &&
      (dataDir === undefined
        ? { fs: memoryFileSystem(MemoryFS, snapshot) }
        : { loadDataDir: new TarBlob(ownMemory(snapshot)) })),
    extensions: { vector: onDemand(vector), pgcrypto: onDemand(pgcrypto) },
    startParams: [...Engine.defaultStartParams, ...[BUFFERS, ...settings].flatMap((setting) => ['-c', setting])],
    // initdb starts the engine several times.
    initDbStartParams: ['--set', BUFFERS, ...SMALL_LOG],
  });
}

/** Initdb, which the build has run already. */
async function initialize(partial: string): Promise<void> {
  const tar = await emptyDatabaseTar();
  if (tar === undefined) {
    const engine = await startPGlite(partial);
    await engine.close();
  } else {
    makeDirectory(partial);
    await unpackTar(tar, partial);
  }
}

/** A new, empty database; `dataDir` undefined: in memory. */
export async function startNew(
  dataDir: string | undefined,
  options: Omit<EngineOptions, 'snapshot'> = {},
): Promise<PGlite> {
  const tar = await emptyDatabaseTar();
  return startPGlite(dataDir, tar === undefined ? options : { ...options, snapshot: tar });
}

/** A shutdown that fails (no space for the checkpoint, say) loses nothing: the next start recovers from the log. */
async function closeEngine(engine: PGlite): Promise<void> {
  if (!engine.closed) await engine.close().catch(() => undefined);
}

/** The bridge to the driver cannot feed a running COPY; PGlite reads a blob instead, in the transaction that is open. */
async function copyBlob(engine: PGlite, target: string, chunks: Iterable<Buffer>): Promise<number> {
  const blob = new Blob([...chunks]);
  const { affectedRows } = await engine.query(`copy ${target} from '/dev/blob'`, [], { blob });
  return affectedRows ?? 0;
}

/** A session on an engine that runs; it closes the engine, and `release` comes last. */
export async function openEngine(
  engine: PGlite,
  label: string,
  options: Omit<OpenOptions, 'embedded'>,
  release: () => void,
): Promise<Session> {
  try {
    const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
    const client = new pg.Client(createPgConfig(engine));
    await client.connect();
    const { pid, serverVersion } = await identifySession(client, 'embedded', options);
    const info = { kind: 'embedded', label, databaseName: 'postgres', pid, serverVersion } as const;
    return new Session(client, info, {
      signal: options.signal,
      ...(options.onNotice && { onNotice: options.onNotice }),
      // Statements run on this very thread, so none can be running when a signal is handled.
      cancel: () => Promise.resolve(),
      settings: pinnedSettings(options),
      copyIn: (target, chunks) => copyBlob(engine, target, chunks),
      onClose: async () => {
        await closeEngine(engine);
        release();
      },
    });
  } catch (error) {
    // Before the lock is given back: an engine that still runs would write under the next holder.
    await closeEngine(engine);
    throw error;
  }
}

function missingDatabase(dataDir: string): AisecError {
  const above = meantAbove(dirname(dirname(dataDir)));
  const detail = `No server is named by DATABASE_URL or libpq's variables, and there is no embedded database ${dataDir}.`;
  if (above !== undefined && basename(above) === '.env')
    return new AisecError('DATABASE_NOT_CONFIGURED', 'no database is configured', {
      detail: `${detail} There is ${above}.`,
      hint: `Run aisec in ${dirname(above)}, or set DATABASE_URL.`,
    });
  if (above !== undefined)
    return new AisecError('DATABASE_NOT_CONFIGURED', 'no database is configured', {
      detail: `${detail} There is ${above}.`,
      hint: `Run aisec in ${dirname(dirname(above))}, or set AISEC_DATA_DIR=${shellWord(above)}`,
    });
  return new AisecError('DATABASE_NOT_CONFIGURED', 'no database is configured', {
    detail,
    hint: 'Set DATABASE_URL, or AISEC_DATA_DIR to where it is, or run `aisec migrate up --embedded` to create the embedded database.',
  });
}

/** A new, empty database, in memory or in a directory that is not there yet; one in memory goes with the session. */
export async function openNew(options: Omit<OpenOptions, 'embedded'>, dataDir?: string): Promise<OpenedEmbedded> {
  const engine = await startNew(dataDir);
  const label = dataDir === undefined ? 'embedded database in memory' : describeEmbedded(dataDir);
  return { engine, session: await openEngine(engine, label, options, () => undefined) };
}

/** A session on a new, empty database in memory; it goes with the session. */
export async function openInMemory(options: Omit<OpenOptions, 'embedded'>): Promise<Session> {
  options.onStep?.('starting an embedded database in memory');
  return (await openNew(options)).session;
}

/** Whether there is an embedded database in the directory. */
export function isThere(dataDir: string): boolean {
  return hasDatabase(dataDir) || isSwapUnfinished(dataDir);
}

/** The engine beside the session on it: for what only the engine can do, such as giving out its data directory. */
export interface OpenedEmbedded {
  readonly session: Session;
  readonly engine: PGlite;
}

/**
 * Opens the database in a directory.
 *
 * The directory lock is what keeps the data: two processes on one directory silently overwrite each other's pages.
 *
 * @throws AisecError DATABASE_NOT_CONFIGURED when the directory is missing and may not be made, EMBEDDED_LOCKED naming the
 *   holder, DISK_FULL, EMBEDDED_FAILED.
 */
export async function openEmbeddedDirectory(
  { dataDir }: EmbeddedTarget,
  options: OpenOptions,
): Promise<OpenedEmbedded> {
  if (options.signal.aborted) throw interruptionError(options.signal);
  // Before the lock: a directory that holds no database gets no lock file beside it.
  const isPresent = isThere(dataDir);
  if (!isPresent && options.embedded !== 'create') throw missingDatabase(dataDir);
  let release: (() => void) | undefined;
  try {
    const attempt = await tryDirectoryLock(`${dataDir}.lock`, options.applicationName);
    if (!attempt.isHeld) throw lockedError(dataDir, attempt.holder, attempt.file, attempt.canBeJudged);
    release = attempt.release;
    finishSwap(dataDir);
    if (!hasDatabase(dataDir)) {
      options.onStep?.(`creating the ${describeEmbedded(dataDir)}`);
      await createWhole(dataDir, initialize);
      options.onStep?.(`starting the ${describeEmbedded(dataDir)}`);
    }
    const engine = await startPGlite(dataDir);
    return { engine, session: await openEngine(engine, describeEmbedded(dataDir), options, release) };
  } catch (error) {
    release?.();
    throw embeddedError(dataDir, error);
  }
}

/** A session on the embedded PostgreSQL, through the same driver as a server. @throws as `openEmbeddedDirectory`. */
export async function openEmbedded(target: EmbeddedTarget, options: OpenOptions): Promise<Session> {
  if (options.signal.aborted) throw interruptionError(options.signal);
  if (options.embedded === 'scratch' && !isThere(target.dataDir)) return openInMemory(options);
  return (await openEmbeddedDirectory(target, options)).session;
}
