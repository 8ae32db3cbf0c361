import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { AisecError } from '../base/errors.js';
import { homeDirectory } from './password-file.js';
import { CONNECTION_FIELDS, type ServerConnection } from './server-connection.js';
import type { Environment } from './settings.js';

function candidates(environment: Environment): readonly string[] {
  const home = homeDirectory(environment);
  const own = environment['PGSERVICEFILE'] ?? (home === undefined ? undefined : join(home, '.pg_service.conf'));
  // Debian's build of libpq looks there by default.
  const system = join(environment['PGSYSCONFDIR'] ?? '/etc/postgresql-common', 'pg_service.conf');
  return own === undefined ? [system] : [own, system];
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
    const [, key = '', value = ''] = /^([a-z_]+)\s*=\s*(.*)$/.exec(line) ?? [];
    const field = CONNECTION_FIELDS[key];
    if (isInside && found !== undefined && field !== undefined) found[field] = value;
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
