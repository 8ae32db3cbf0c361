import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, relative } from 'node:path';

import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { EmbeddedTarget } from '../../config/database-target.js';
import { tryFolderLock, type LockHolder } from '../files/folder-lock.js';
import type { OpenOptions } from './open-options.js';
import { Session } from './session.js';
import { identifySession } from './session-settings.js';

/** `dataDir` undefined: in memory. */
async function startPGlite(dataDir: string | undefined): Promise<PGlite> {
  const [{ PGlite: Engine }, { vector }, { pgcrypto }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite-pgvector'),
    import('@electric-sql/pglite/contrib/pgcrypto'),
  ]);
  return Engine.create({ ...(dataDir !== undefined && { dataDir }), extensions: { vector, pgcrypto } });
}

function describe(dataDir: string): string {
  const path = relative(process.cwd(), dataDir);
  return `embedded database ${path === '' || path.startsWith('..') ? dataDir : path}`;
}

function openError(dataDir: string, error: unknown): AisecError {
  if (isAisecError(error)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const isFull =
    code === 'ENOSPC' || code === 'EDQUOT' || /no space left|ENOSPC/i.test(messageOf(error)) || errno(error) === 51;
  if (isFull) {
    return new AisecError('DISK_FULL', `no space left to open the ${describe(dataDir)}`, {
      hint: 'Free some space and run the command again.',
      cause: error,
    });
  }
  return new AisecError('EMBEDDED_FAILED', `could not open the ${describe(dataDir)}`, {
    detail: `${messageOf(error)}.`,
    hint: 'Check that the folder is readable and writable. It holds only local data: moved away, `aisec migrate up` makes a new one.',
    cause: error,
  });
}

/** Emscripten's file systems throw objects with a WASI error number: 51 is ENOSPC. */
function errno(error: unknown): number | undefined {
  return (error as { errno?: number } | undefined)?.errno;
}

/** initdb takes seconds and may be killed: it works beside, and only a complete folder gets the name. */
async function createDataDir(dataDir: string): Promise<void> {
  const partial = `${dataDir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(dataDir), { recursive: true });
  try {
    const engine = await startPGlite(partial);
    await engine.close();
    renameSync(partial, dataDir);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function lockedError(dataDir: string, holder: LockHolder, file: string, canBeJudged: boolean): AisecError {
  const where = canBeJudged ? '' : ` on ${holder.host}`;
  return new AisecError('EMBEDDED_LOCKED', `the ${describe(dataDir)} is open in another process`, {
    detail: `Process ${holder.pid}${where} (${holder.command}) has held it since ${holder.since}.`,
    hint: canBeJudged
      ? "Wait until it ends and run the command again; two processes would lose each other's rows."
      : `Whether it still runs cannot be seen from here. If it does not, remove "${file}".`,
  });
}

async function openEngine(engine: PGlite, label: string, options: OpenOptions, release: () => void): Promise<Session> {
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
    onClose: async () => {
      await engine.close();
      release();
    },
  });
}

/**
 * A session on the embedded PostgreSQL, through the same driver as a server.
 *
 * The folder lock is what keeps the data: two processes on one folder silently overwrite each other's pages.
 *
 * @throws AisecError DATABASE_NOT_CONFIGURED when the folder is missing and may not be made, EMBEDDED_LOCKED naming the
 *   holder, DISK_FULL, EMBEDDED_FAILED.
 */
export async function openEmbedded(target: EmbeddedTarget, options: OpenOptions): Promise<Session> {
  if (options.signal.aborted) throw interruptionError(options.signal);
  const { dataDir } = target;
  if (options.embedded === 'existing' && !existsSync(dataDir)) {
    throw new AisecError('DATABASE_NOT_CONFIGURED', 'no database is configured', {
      detail: `No server is named by DATABASE_URL or libpq's variables, and there is no ${describe(dataDir)}.`,
      hint: 'Set DATABASE_URL, or run `aisec migrate up` to create the embedded database.',
    });
  }
  if (options.embedded === 'scratch' && !existsSync(dataDir)) {
    options.onStep?.('starting an embedded database in memory');
    return openEngine(await startPGlite(undefined), 'embedded database in memory', options, () => undefined);
  }
  let release: (() => void) | undefined;
  try {
    const attempt = await tryFolderLock(`${dataDir}.lock`, options.applicationName);
    if (!attempt.isHeld) throw lockedError(dataDir, attempt.holder, attempt.file, attempt.canBeJudged);
    release = attempt.release;
    if (!existsSync(dataDir)) {
      options.onStep?.(`creating the ${describe(dataDir)}`);
      await createDataDir(dataDir);
    }
    return await openEngine(await startPGlite(dataDir), describe(dataDir), options, release);
  } catch (error) {
    release?.();
    throw openError(dataDir, error);
  }
}
