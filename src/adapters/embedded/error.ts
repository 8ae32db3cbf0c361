import { relative } from 'node:path';

import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import type { LockHolder } from '../files/directory-lock.js';
import { isNoSpace } from '../files/space.js';

/** `embedded database .aisec/pgdata`: how messages name it. */
export function describeEmbedded(dataDir: string): string {
  const path = relative(process.cwd(), dataDir);
  return `embedded database ${path === '' || path.startsWith('..') ? dataDir : path}`;
}

/** The file systems of Emscripten throw objects with a WASI error number and no message. */
const TEXT_BY_ERRNO: Readonly<Record<number, string>> = {
  2: 'permission denied',
  8: 'bad file descriptor',
  19: 'disk quota exceeded',
  20: 'file exists',
  29: 'input/output error',
  31: 'is a directory',
  44: 'no such file or directory',
  51: 'no space left on device',
  54: 'not a directory',
  63: 'operation not permitted',
  69: 'read-only file system',
};

/** What the engine threw, in words. */
function engineMessageOf(error: unknown): string {
  const { name, errno } = (error ?? {}) as { name?: unknown; errno?: unknown };
  if (name === 'ErrnoError' && typeof errno === 'number') return TEXT_BY_ERRNO[errno] ?? `file system error ${errno}`;
  return messageOf(error);
}

/** Whether the engine failed for want of space. */
function isOutOfSpace(error: unknown): boolean {
  return isNoSpace(error) || /no space left|disk quota|ENOSPC/i.test(engineMessageOf(error));
}

/** Emscripten's advice to those who build the engine does not help here. */
function detailOf(error: unknown): string {
  const message = engineMessageOf(error).replace(/ Build with -sASSERTIONS for more info\.?/, '');
  if (message.startsWith('Aborted()')) return 'PostgreSQL did not start on what is in it.';
  return message.endsWith('.') ? message : `${message}.`;
}

/** One error for whatever keeps the embedded database from being opened. */
export function embeddedError(dataDir: string, error: unknown): AisecError {
  if (isAisecError(error)) return error;
  if (isOutOfSpace(error)) {
    return new AisecError('DISK_FULL', `no space left to open the ${describeEmbedded(dataDir)}`, {
      hint: 'Free some space and run the command again.',
      cause: error,
    });
  }
  return new AisecError('EMBEDDED_FAILED', `could not open the ${describeEmbedded(dataDir)}`, {
    detail: detailOf(error),
    hint: 'Check that its directory can be read and written by this user. If it is damaged, move it away and bring a backup back: aisec restore FILE --create DIR',
    cause: error,
  });
}

/** EMBEDDED_LOCKED, naming the process that has the database open. */
export function lockedError(dataDir: string, holder: LockHolder, file: string, canBeJudged: boolean): AisecError {
  const place = canBeJudged ? '' : ` on host "${holder.host}"`;
  return new AisecError('EMBEDDED_LOCKED', `the ${describeEmbedded(dataDir)} is open in another process`, {
    detail: `Process ${holder.pid}${place} (${holder.command}) has held it since ${holder.since}.`,
    hint: canBeJudged
      ? 'Run the command again when that process has ended.'
      : `Whether it still runs cannot be seen from here. Only if it does not, remove the lock: rm "${file}"`,
  });
}
