import type { EmbeddedTarget } from '../../../config/database-target.js';
import { isAisecError } from '../../../base/errors.js';
import { sleep } from '../../../base/interruption.js';
import type { ToolPlaces } from '../../../adapters/pgtools/find-tools.js';
import { tryDirectoryLock } from '../../../adapters/files/directory-lock.js';
import { openEmbeddedDirectory } from '../../../adapters/embedded/embedded.js';
import { describeEmbedded, lockedError } from '../../../adapters/embedded/error.js';
import { finishSwap } from '../../../adapters/embedded/swap.js';
import type { OpenOptions } from '../../../adapters/postgres/open-options.js';
import type { EmbeddedAccess } from '../access.js';

export interface EmbeddedAccessOptions {
  readonly options: OpenOptions;
  readonly places: ToolPlaces;
  /** For another process to close the database. */
  readonly waitMs: number;
}

const POLL_MS = 250;
/** PGlite has one, of this name. */
const DATABASE = 'postgres';

type LockWait = Pick<EmbeddedAccessOptions, 'options' | 'waitMs'>;

/** Tries until another process has closed the database, or the time is over. */
async function waitingForLock<Result>({ options, waitMs }: LockWait, attempt: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAisecError(error, 'EMBEDDED_LOCKED') || performance.now() >= deadline) throw error;
      options.onStep?.('waiting for another process to close the embedded database');
      await sleep(POLL_MS, options.signal);
    }
  }
}

/** Runs the callback while no process can open the database in the directory, which may not be there. @throws EMBEDDED_LOCKED. */
export async function withEmbeddedLock(dataDir: string, wait: LockWait, run: () => Promise<void>): Promise<void> {
  const release = await waitingForLock(wait, async () => {
    const attempt = await tryDirectoryLock(`${dataDir}.lock`, wait.options.applicationName);
    if (!attempt.isHeld) throw lockedError(dataDir, attempt.holder, attempt.file, attempt.canBeJudged);
    return attempt.release;
  });
  try {
    finishSwap(dataDir);
    await run();
  } finally {
    release();
  }
}

/** What backups and restores use of an embedded database; nothing is opened yet. */
export function embeddedAccessTo(target: EmbeddedTarget, settings: EmbeddedAccessOptions): EmbeddedAccess {
  const { options, places } = settings;
  return {
    places,
    options,
    dataDir: target.dataDir,
    label: describeEmbedded(target.dataDir),
    applicationName: options.applicationName,
    databaseName: DATABASE,
    signal: options.signal,
    withDatabase: async (use) => {
      const opened = await waitingForLock(settings, () => openEmbeddedDirectory(target, options));
      try {
        return await use(opened);
      } finally {
        await opened.session.close();
      }
    },
  };
}
