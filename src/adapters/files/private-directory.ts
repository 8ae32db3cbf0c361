import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AisecError, messageOf } from '../../base/errors.js';
import { currentProcess, isRunning, type ProcessIdentity } from './process-identity.js';
import { isNoSpace } from './space.js';

const OWNER = 'owner.json';

/** What runs that were killed have left. */
function sweep(parent: string, prefix: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(prefix))) {
    try {
      const owner = JSON.parse(readFileSync(join(parent, name, OWNER), 'utf8')) as ProcessIdentity;
      if (isRunning(owner) === false) rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Of another user, or just being made.
    }
  }
}

/** What the file system says while temporary files are written, in the toolkit's own words; anything else as it is. */
export function temporaryError(error: unknown): unknown {
  if (!isNoSpace(error)) return error;
  return new AisecError('DISK_FULL', `no space is left in "${tmpdir()}", where temporary files go`, {
    detail: `${messageOf(error)}.`,
    hint: 'Free some space there, or set TMPDIR to a directory with more, and run the command again; nothing of it is left.',
    cause: error,
  });
}

/** @throws AisecError DISK_FULL; what else the file system throws. */
export function writeTemporary(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw temporaryError(error);
  }
}

function makePrivate(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (isNoSpace(error)) throw temporaryError(error);
    throw new AisecError('CONFIG_INVALID', `"${tmpdir()}", where temporary files go, cannot be written to`, {
      detail: `${messageOf(error)}.`,
      hint: 'Set TMPDIR to a directory that is there and can be written to.',
      cause: error,
    });
  }
}

/**
 * Runs the callback with a new temporary directory that only the owner can enter. It goes whatever happens; a killed run's
 * goes with the next one.
 *
 * @param prefix of its name, one for each use
 * @throws AisecError DISK_FULL; CONFIG_INVALID when there is no directory for them; what the callback throws.
 */
export async function withPrivateDirectory<Result>(
  prefix: string,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = join(tmpdir(), `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`);
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  makePrivate(directory);
  sweep(tmpdir(), prefix);
  process.once('exit', remove);
  try {
    writeTemporary(join(directory, OWNER), JSON.stringify(currentProcess()));
    return await use(directory);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
