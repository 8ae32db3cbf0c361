import { isUtf8 } from 'node:buffer';
import { constants, readdirSync, readFileSync, type Dirent } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

import { AisecError, messageOf } from '../../base/errors.js';

function namesIn(directory: string, isWanted: (entry: Dirent) => boolean): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter(isWanted).map((entry) => entry.name);
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not read the directory "${directory}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
}

/** The names of the files (and links) in a directory. @throws AisecError CONFIG_INVALID. */
export function readDirectory(directory: string): readonly string[] {
  return namesIn(directory, (entry) => entry.isFile() || entry.isSymbolicLink());
}

/** The names of the directories in a directory. @throws AisecError CONFIG_INVALID. */
export function readSubdirectories(directory: string): readonly string[] {
  return namesIn(directory, (entry) => entry.isDirectory());
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path.',
  EISDIR: 'It is a directory, where a file was expected. Check the path.',
};
/** Such as EACCES and EPERM. */
const OTHER_HINT = 'Run the command as a user who may read it, or let this one read it.';

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // Without an entry in the list of users, as in a container.
    return String(process.geteuid?.() ?? '');
  }
}

/** What the file system says, as a full sentence, and who was refused where it is a matter of that. */
export function whyUnreadable(cause: unknown): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const isRefused = code === 'EACCES' || code === 'EPERM';
  return `${isRefused ? `User "${userName()}" may not read it: ` : ''}${messageOf(cause)}.`;
}

/** A file that is there, or should be, and cannot be read here: that says nothing of what is in it. */
export function unreadable(path: string, cause: unknown): AisecError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  return new AisecError('CONFIG_INVALID', `could not read "${path}"`, {
    detail: whyUnreadable(cause),
    hint: HINTS[code] ?? OTHER_HINT,
    cause,
  });
}

/** A UTF-8 text file. @throws AisecError CONFIG_INVALID when it cannot be read or is not UTF-8. */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  if (!isUtf8(bytes))
    throw new AisecError('CONFIG_INVALID', `could not read "${path}"`, { detail: 'It is not valid UTF-8.' });
  return bytes.toString('utf8');
}

/** A file of our own, never through a symbolic link: what that led to could be anybody's. @throws what Node throws. */
export function readUnlinked(path: string): Promise<string> {
  return readFile(path, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW });
}
