import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { AisecError } from '../../base/errors.js';
import { fieldOf, isParameter, parameterLike } from './connection-parameters.js';
import { homeDirectory } from './password-file.js';
import type { ServerConnection } from './server-connection.js';
import type { Environment } from '../settings.js';

function candidates(environment: Environment): readonly string[] {
  const home = homeDirectory(environment);
  const own = environment['PGSERVICEFILE'] ?? (home === undefined ? undefined : join(home, '.pg_service.conf'));
  // Debian's build of libpq looks there by default.
  const system = join(environment['PGSYSCONFDIR'] ?? '/etc/postgresql-common', 'pg_service.conf');
  return own === undefined ? [system] : [own, system];
}

/** libpq refuses it, too: what is asked for there and not done would be missed. The line itself may hold a password. */
function unknownKey(key: string, service: string, file: string): AisecError {
  const near = parameterLike(key);
  return new AisecError('CONFIG_INVALID', `unknown parameter "${key}" of service "${service}" in "${file}"`, {
    hint: near === undefined ? 'Remove the line; aisec cannot do what it asks for.' : `Did you mean "${near}"?`,
  });
}

function readSection(file: string, service: string): ServerConnection | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  let isInside = false;
  let found: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    const header = /^\[(.*)\]$/.exec(line);
    if (header !== null) {
      isInside = header[1] === service;
      if (isInside) found = {};
      continue;
    }
    if (!isInside || found === undefined || line === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = /^([a-z_]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (!isParameter(key)) throw unknownKey(key, service, file);
    const field = fieldOf(key, value, `service "${service}" in "${file}"`);
    if (field !== undefined) found[field] = value;
  }
  return found;
}

/**
 * The section of a connection service file that PGSERVICE (or `?service=`) names.
 * https://www.postgresql.org/docs/16/libpq-pgservice.html
 *
 * @throws AisecError CONFIG_INVALID when no file has it.
 */
export function readService(service: string, environment: Environment): ServerConnection {
  const files = candidates(environment);
  for (const file of files) {
    const section = readSection(file, service);
    if (section !== undefined) return section;
  }
  throw new AisecError('CONFIG_INVALID', `definition of service "${service}" not found`, {
    detail: `Looked in ${files.join(' and ')}.`,
    hint: 'Add a [section] of that name, or set PGSERVICEFILE to the file that has it.',
  });
}
