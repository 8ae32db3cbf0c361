import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import { AisecError, messageOf } from '../base/errors.js';
import type { Config } from './config.js';
import { refuseUnmetDemands } from './connection/connection-demands.js';
import { fromVariables } from './connection/connection-parameters.js';
import { parseConnectionUrl, parseUrlOfFlag } from './connection/connection-url.js';
import { NAMES_A_SERVER } from './environment.js';
import { findPassword } from './connection/password-file.js';
import { hostsOf, type ServerHost } from './connection/server-hosts.js';
import type { ServerConnection } from './connection/server-connection.js';
import { readService } from './connection/service-file.js';
import { withTlsFiles } from './connection/tls-files.js';
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
  /** Where several servers are named: all of them, in order. `connection` has the first; `serversOf` splits them. */
  readonly servers?: readonly NamedServer[];
}

/** One of several servers, with the password that a file has for it. */
interface NamedServer extends ServerHost {
  readonly password?: string;
  readonly passwordProblem?: string;
}

export interface EmbeddedTarget {
  readonly kind: 'embedded';
  readonly dataDir: string;
}

export type DatabaseTarget = ServerTarget | EmbeddedTarget;

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

function checkTimeout(timeout: string | undefined, source: string): void {
  if (timeout === undefined || /^-?\d+$/.test(timeout)) return;
  throw new AisecError('CONFIG_INVALID', `invalid connect timeout "${timeout}" in ${source}`, {
    hint: 'It is a whole number of seconds.',
  });
}

/** Adds what libpq's variables, service and password files say. @throws AisecError CONFIG_INVALID. */
export function withDefaults(given: ServerConnection, environment: Environment, source: string): ServerTarget {
  refuseConnectionStrings(environment);
  const inherited = fromVariables(environment);
  const service = given.service ?? inherited.service;
  const merged = { ...inherited, ...(service === undefined ? {} : readService(service, environment)), ...given };
  checkTimeout(merged.connectTimeoutSeconds, source);
  refuseUnmetDemands(merged, source);
  const hosts = hostsOf(merged, source, given.port === undefined && merged.port === inherited.port ? 'PGPORT' : source);
  const user = merged.user ?? defaultUser(source);
  const { host: _, hostAddress: __, port: ___, ...shared } = withTlsFiles(merged, environment);
  const common = { ...shared, user, database: merged.database ?? user };
  const servers = hosts.map((host): NamedServer => {
    if (common.password !== undefined) return { ...host, password: common.password };
    const { password, problem } = findPassword({ ...common, ...host }, environment);
    return {
      ...host,
      ...(password !== undefined && { password }),
      ...(problem !== undefined && { passwordProblem: problem }),
    };
  });
  const [first] = servers;
  if (first === undefined) throw new Error('no server is named');
  return targetAt({ source, connection: common }, first, servers);
}

function hostOf({ host, hostAddress, port }: NamedServer): ServerHost {
  return { host, port, ...(hostAddress !== undefined && { hostAddress }) };
}

type Shared = Omit<ServerTarget['connection'], keyof NamedServer>;

/** The target with the address of one server, and the password for it. */
function targetAt(
  { source, connection }: { readonly source: string; readonly connection: Shared },
  server: NamedServer,
  servers: readonly NamedServer[],
): ServerTarget {
  const { hostAddress: _, password: __, ...shared }: ServerConnection & Shared = connection;
  const { password, passwordProblem } = server;
  return {
    kind: 'server',
    source,
    connection: { ...shared, ...hostOf(server), ...(password !== undefined && { password }) },
    ...(passwordProblem !== undefined && { passwordProblem }),
    ...(servers.length > 1 && { servers }),
  };
}

/** The target with a password for each server that has none yet. */
export function withPassword(target: ServerTarget, password: string): ServerTarget {
  const { connection, servers } = target;
  return {
    ...target,
    connection: { password, ...connection },
    ...(servers !== undefined && { servers: servers.map((server) => ({ password, ...server })) }),
  };
}

/** Each server that a target names, as a target of its own. */
export function serversOf(target: ServerTarget): readonly ServerTarget[] {
  return target.servers?.map((server) => targetAt(target, server, [])) ?? [target];
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

const WITHOUT_SECRETS = [
  'PGHOST',
  'PGHOSTADDR',
  'PGPORT',
  'PGUSER',
  'PGDATABASE',
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGPASSFILE',
  'PGSSLROOTCERT',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLCRL',
  'PGSSLCRLDIR',
];

/** Values that libpq would take apart, and that may hold a password: they must not reach a message. */
function refuseConnectionStrings(environment: Environment): void {
  for (const variable of WITHOUT_SECRETS) {
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
