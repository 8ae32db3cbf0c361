import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import { AisecError, messageOf } from '../base/errors.js';
import type { Config } from './config.js';
import { refuseUnmetDemands } from './connection-demands.js';
import { parseConnectionUrl, parseUrlOfFlag } from './connection-url.js';
import { NAMES_A_SERVER } from './environment.js';
import { findPassword } from './password-file.js';
import type { ServerConnection } from './server-connection.js';
import { readService } from './service-file.js';
import { SETTINGS, type Environment } from './settings.js';

export interface ServerTarget {
  readonly kind: 'server';
  readonly connection: ServerConnection & {
    readonly host: string;
    readonly port: string;
    readonly user: string;
    readonly database: string;
  };
  /** Where the parameters came from, for messages. */
  readonly source: string;
  /** Why a password file was not used, a full sentence. */
  readonly passwordProblem?: string;
}

export interface EmbeddedTarget {
  readonly kind: 'embedded';
  readonly dataDir: string;
}

export type DatabaseTarget = ServerTarget | EmbeddedTarget;

/** Any of these means that a server is wanted: https://www.postgresql.org/docs/16/libpq-envars.html */
const LIBPQ = {
  PGHOST: 'host',
  PGHOSTADDR: 'host',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGDATABASE: 'database',
  PGSSLMODE: 'sslMode',
  PGSSLROOTCERT: 'sslRootCert',
  PGSSLCERT: 'sslCert',
  PGSSLKEY: 'sslKey',
  PGOPTIONS: 'options',
  PGCONNECT_TIMEOUT: 'connectTimeoutSeconds',
  PGSERVICE: 'service',
  PGTARGETSESSIONATTRS: 'targetSessionAttrs',
  PGCHANNELBINDING: 'channelBinding',
  PGGSSENCMODE: 'gssEncMode',
} as const;
/** Where Debian's and PostgreSQL's own builds put the local socket. */
const SOCKET_DIRECTORIES = ['/var/run/postgresql', '/tmp'];

function fromLibpq(environment: Environment): ServerConnection {
  const connection: Record<string, string> = {};
  for (const [variable, field] of Object.entries(LIBPQ)) {
    const value = environment[variable];
    if (value !== undefined) connection[field] = value;
  }
  return connection;
}

function readUrlFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not read the database URL file "${path}"`, {
      detail: `${messageOf(error)}.`,
      cause: error,
    });
  }
  const [firstLine = ''] = text.split(/\r?\n/, 1);
  if (firstLine.trim() === '') {
    throw new AisecError('CONFIG_INVALID', `the database URL file "${path}" is empty`, {
      hint: 'Its first line must be the URL.',
    });
  }
  return firstLine.trim();
}

/** libpq's default: the local socket where there is one, which is how `peer` logins work. */
function defaultHost(port: string): string {
  return SOCKET_DIRECTORIES.find((directory) => existsSync(`${directory}/.s.PGSQL.${port}`)) ?? 'localhost';
}

function defaultUser(source: string): string {
  try {
    return userInfo().username;
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `no user name in ${source}`, {
      detail: 'The user of this process has no name on this machine, either.',
      hint: 'Set PGUSER, or put the user into the URL.',
      cause: error,
    });
  }
}

function checkNumbers(port: string, timeout: string | undefined, source: string): void {
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new AisecError('CONFIG_INVALID', `invalid port "${port}" in ${source}`, {
      hint: 'A port is a number from 1 to 65535.',
    });
  }
  if (timeout !== undefined && !/^\d+$/.test(timeout)) {
    throw new AisecError('CONFIG_INVALID', `invalid connect timeout "${timeout}" in ${source}`, {
      hint: 'It is a whole number of seconds.',
    });
  }
}

/** Adds what libpq's variables, service and password files say. @throws AisecError CONFIG_INVALID. */
export function withDefaults(given: ServerConnection, environment: Environment, source: string): ServerTarget {
  refuseConnectionStrings(environment);
  const inherited = fromLibpq(environment);
  const service = given.service ?? inherited.service;
  const merged = { ...inherited, ...(service === undefined ? {} : readService(service, environment)), ...given };
  const port = merged.port ?? '5432';
  checkNumbers(port, merged.connectTimeoutSeconds, source);
  refuseUnmetDemands(merged, environment, source);
  const host = merged.host ?? defaultHost(port);
  if (host.includes(',')) {
    throw new AisecError('CONFIG_INVALID', `several hosts in ${source}`, {
      hint: 'aisec works on one server; name one.',
    });
  }
  const user = merged.user ?? defaultUser(source);
  const connection = { ...merged, host, port, user, database: merged.database ?? user };
  if (connection.password !== undefined) return { kind: 'server', source, connection };
  const { password, problem } = findPassword(connection, environment);
  return {
    kind: 'server',
    source,
    connection: { ...connection, ...(password !== undefined && { password }) },
    ...(problem !== undefined && { passwordProblem: problem }),
  };
}

/** The server that a URL names; what it leaves open comes from libpq's variables. @throws AisecError CONFIG_INVALID. */
export function serverTargetOf(url: string, environment: Environment, source: string): ServerTarget {
  return withDefaults(parseConnectionUrl(url, source), environment, source);
}

/** A server was meant: the embedded database in its place would succeed, and the mistake would stay hidden. */
function refuseEmptyAddress([variable]: readonly string[]): void {
  if (variable === undefined) return;
  throw new AisecError('DATABASE_NOT_CONFIGURED', `${variable} is set but empty`, {
    detail: 'A secret or a variable did not arrive, so there is no address of a server.',
    hint: `Set ${variable}, or unset it to work on the embedded database.`,
  });
}

/** Values that libpq would take apart, and that may hold a password: they must not reach a message. */
function refuseConnectionStrings(environment: Environment): void {
  for (const variable of [...Object.keys(LIBPQ), 'PGPASSFILE', 'PGSERVICEFILE']) {
    if (variable === 'PGPASSWORD') continue;
    const value = environment[variable] ?? '';
    if (!value.includes('://') && !/\bpassword\s*=/i.test(value)) continue;
    throw new AisecError('CONFIG_INVALID', `${variable} holds a whole connection string`, {
      hint: 'Put the URL into DATABASE_URL, and single values into the variables of libpq.',
    });
  }
}

/** `-c role=NAME` of the start-up packet: what RESET ROLE goes back to. A backslash keeps a blank from ending the name. */
function asRole(target: DatabaseTarget, role: string | undefined): DatabaseTarget {
  if (role === undefined) return target;
  if (target.kind === 'embedded')
    throw new AisecError('USAGE', '--role needs a server, and none is configured', {
      detail: 'The embedded database has one role, which is its superuser.',
      hint: 'Set DATABASE_URL, or leave --role (AISEC_ROLE) out.',
    });
  const { options } = target.connection;
  const option = `-c role=${role.replaceAll(/[\\\s]/g, String.raw`\$&`)}`;
  return {
    ...target,
    connection: { ...target.connection, role, options: options === undefined ? option : `${options} ${option}` },
  };
}

/**
 * Which database to work on, in this order: a URL (flag, file, environment), libpq's variables, else the
 * embedded database. Reads URL and service files, opens nothing.
 *
 * @throws AisecError CONFIG_INVALID; DATABASE_NOT_CONFIGURED where an address is set but empty, unless the embedded
 *   database is meant; REFUSED for the embedded database in production.
 */
export function resolveDatabaseTarget(config: TargetConfig, isEmbeddedMeant = false): DatabaseTarget {
  return asRole(addressOf(config, isEmbeddedMeant), config.role);
}

type TargetConfig = Pick<Config, 'flags' | 'environment' | 'cwd' | 'isProduction' | 'dataDir' | 'emptyAddresses'> &
  Partial<Pick<Config, 'role'>>;

function addressOf(config: TargetConfig, isEmbeddedMeant: boolean): DatabaseTarget {
  const { flags, environment } = config;
  if (flags.databaseUrl !== undefined && flags.databaseUrlFile !== undefined) {
    throw new AisecError('USAGE', '--database-url and --database-url-file cannot be used together', {
      hint: 'Give one of them.',
    });
  }
  if (flags.databaseUrl !== undefined) {
    const instead = 'DATABASE_URL, --database-url-file, PGPASSWORD or ~/.pgpass';
    return withDefaults(parseUrlOfFlag(flags.databaseUrl, '--database-url', instead), environment, '--database-url');
  }
  const file = flags.databaseUrlFile ?? environment[SETTINGS.databaseUrlFile.env];
  if (file !== undefined) {
    const path = resolve(config.cwd, file);
    return serverTargetOf(readUrlFile(path), environment, `"${path}"`);
  }
  const url = environment[SETTINGS.databaseUrl.env];
  if (url !== undefined) return serverTargetOf(url, environment, 'DATABASE_URL');
  const named = NAMES_A_SERVER.find((variable) => environment[variable] !== undefined);
  if (named !== undefined) return withDefaults({}, environment, named);
  if (!isEmbeddedMeant) refuseEmptyAddress(config.emptyAddresses);
  if (config.isProduction) {
    throw new AisecError('REFUSED', 'the embedded database is never used in production', {
      detail: 'AISEC_ENV is production and no server is configured.',
      hint: 'Set DATABASE_URL (or PGHOST, PGSERVICE) to the server.',
    });
  }
  return { kind: 'embedded', dataDir: config.dataDir };
}
