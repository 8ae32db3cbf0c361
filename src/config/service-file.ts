import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { AisecError } from '../base/errors.js';
import type { ServerConnection } from './server-connection.js';
import type { Environment } from './settings.js';

const KEYS: Readonly<Record<string, keyof ServerConnection>> = {
  host: 'host',
  hostaddr: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  dbname: 'database',
  sslmode: 'sslMode',
  sslrootcert: 'sslRootCert',
  sslcert: 'sslCert',
  sslkey: 'sslKey',
  options: 'options',
  connect_timeout: 'connectTimeoutSeconds',
};

function candidates(environment: Environment): readonly string[] {
  const own = environment['PGSERVICEFILE'] ?? join(environment['HOME'] ?? homedir(), '.pg_service.conf');
  const system = environment['PGSYSCONFDIR'];
  return system === undefined ? [own] : [own, join(system, 'pg_service.conf')];
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
    const field = KEYS[key];
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
