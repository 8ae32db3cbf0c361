import { readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { AisecError } from '../../base/errors.js';
import { tryDirectoryLock } from '../files/directory-lock.js';
import { flushDirectory } from '../files/publish.js';
import type { OpenOptions } from '../postgres/open-options.js';
import type { Session } from '../postgres/session.js';
import { openEmbedded } from './embedded.js';
import { lockedError } from './error.js';

function refuseExisting(dataDir: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (names.length > 0)
    throw new AisecError('USAGE', `directory "${dataDir}" is not empty`, {
      hint: 'Give another directory; an existing one is never written into.',
    });
  rmSync(dataDir, { recursive: true });
}

/**
 * Makes an embedded database in a directory that is not there yet. The callback fills one that lies beside, which gets
 * the name when the callback is done: a process that opens the directory finds all of it or none.
 *
 * @throws AisecError USAGE when the directory holds anything, EMBEDDED_LOCKED when another run makes it.
 */
export async function withNewDirectory<Result>(
  dataDir: string,
  options: OpenOptions,
  fill: (session: Session) => Promise<Result>,
): Promise<Result> {
  refuseExisting(dataDir);
  const partial = `${dataDir}.partial`;
  const attempt = await tryDirectoryLock(`${dataDir}.lock`, options.applicationName);
  if (!attempt.isHeld) throw lockedError(dataDir, attempt.holder, attempt.file, attempt.canBeJudged);
  const removePartial = (): void => {
    for (const name of [partial, `${partial}.lock`]) rmSync(name, { recursive: true, force: true });
  };
  try {
    removePartial();
    const session = await openEmbedded({ kind: 'embedded', dataDir: partial }, { ...options, embedded: 'create' });
    let result: Result;
    try {
      result = await fill(session);
    } finally {
      await session.close();
    }
    rmSync(`${partial}.lock`, { recursive: true, force: true });
    refuseExisting(dataDir);
    renameSync(partial, dataDir);
    await flushDirectory(path.dirname(dataDir));
    return result;
  } catch (error) {
    removePartial();
    throw error;
  } finally {
    attempt.release();
    rmSync(`${dataDir}.lock`, { recursive: true, force: true });
  }
}
