import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { messageOf } from '../../base/errors.js';
import type { Environment } from '../settings.js';
import { shellWord } from '../../base/package/aisec-command.js';

export interface PasswordRequest {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
  readonly passFile?: string;
}

export interface PasswordLookup {
  readonly password?: string;
  /** A full sentence when there is a file that was not used. */
  readonly problem?: string;
}

/** libpq looks a local socket up under this name. */
const DEFAULT_SOCKET_DIRECTORIES = ['/tmp', '/var/run/postgresql', '/run/postgresql'];

/** The user's home directory, or undefined for a process whose user has no entry in the password database. */
export function homeDirectory(environment: Environment): string | undefined {
  try {
    return environment['HOME'] ?? homedir();
  } catch {
    return undefined;
  }
}

/** `host:port:database:user:password`; `\:` and `\\` stand for themselves. */
function fieldsOf(line: string): readonly string[] {
  const fields = [''];
  for (const [token] of line.matchAll(/\\.|[^]/g)) {
    if (token === ':' && fields.length < 5) fields.push('');
    else fields[fields.length - 1] += token.length === 2 ? token.slice(1) : token;
  }
  return fields;
}

/**
 * The password that ~/.pgpass (or PGPASSFILE) holds for a server; the first line that fits counts. A file that others
 * may read is not used, as in libpq. https://www.postgresql.org/docs/16/libpq-pgpass.html
 */
export function findPassword(request: PasswordRequest, environment: Environment): PasswordLookup {
  const home = homeDirectory(environment);
  const file =
    request.passFile ?? environment['PGPASSFILE'] ?? (home === undefined ? undefined : join(home, '.pgpass'));
  if (file === undefined) return {};
  let text: string;
  try {
    const status = statSync(file);
    if (!status.isFile()) return { problem: `The password file ${file} is not a plain file, so it was not used.` };
    if ((status.mode & 0o077) !== 0)
      return {
        problem: `The password file ${file} can be read by others, so it was not used; run: chmod 600 ${shellWord(file)}`,
      };
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? {}
      : { problem: `The password file ${file} could not be read: ${messageOf(error)}.` };
  }
  const host = DEFAULT_SOCKET_DIRECTORIES.includes(request.host) ? 'localhost' : request.host;
  const wanted = [host, request.port, request.database, request.user];
  for (const line of text.split(/\r?\n/).filter((each) => each !== '' && !each.startsWith('#'))) {
    const fields = fieldsOf(line);
    const [password] = fields.slice(4);
    if (password !== undefined && wanted.every((value, index) => fields[index] === '*' || fields[index] === value))
      return { password };
  }
  return {};
}
