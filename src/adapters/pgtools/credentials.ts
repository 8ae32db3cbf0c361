import { join } from 'node:path';

import { AisecError } from '../../base/errors.js';
import type { ServerTarget } from '../../config/database-target.js';
import { withPrivateDirectory, writeTemporary } from '../files/private-directory.js';

const SERVICE = 'aisec';
const PREFIX = 'aisec-pg-';
/** As the toolkit's own connections: 10 s to connect, and a dead server is noticed within two minutes. */
const CONNECT_TIMEOUT_SECONDS = '10';
const KEEP_ALIVE = {
  keepalives: '1',
  keepalives_idle: '30',
  keepalives_interval: '10',
  keepalives_count: '9',
} as const;

export interface CredentialOptions {
  /** As shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Server settings for the session, such as maintenance_work_mem. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** How a client program gets server, role and password: by files that only the owner can read. */
export interface Credentials {
  /** The value for `--dbname`. */
  readonly dbname: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** A backslash and a space are what libpq splits `options` by. */
function option([name, value]: readonly [string, string]): string {
  return `-c ${name}=${value.replaceAll(/[\\ ]/g, (character) => `\\${character}`)}`;
}

/**
 * The section of a connection service file for a server.
 * https://www.postgresql.org/docs/17/libpq-pgservice.html
 *
 * @throws AisecError CONFIG_INVALID for a value that such a file cannot hold.
 */
export function serviceFile(target: ServerTarget, passFile: string, options: CredentialOptions): string {
  const { connection } = target;
  const isVerified = connection.sslMode === 'verify-full';
  const settings = Object.entries(options.settings ?? {}).map(option);
  const values: Readonly<Record<string, string | undefined>> = {
    host: connection.host,
    hostaddr: connection.hostAddress,
    port: connection.port,
    user: connection.user,
    dbname: connection.database,
    passfile: passFile,
    application_name: options.applicationName,
    // As the toolkit's own sessions. pg_dump writes what the database sets, which may lack characters that it holds.
    client_encoding: 'UTF8',
    connect_timeout: connection.connectTimeoutSeconds ?? CONNECT_TIMEOUT_SECONDS,
    ...KEEP_ALIVE,
    sslmode: connection.sslMode,
    // The toolkit's own connections trust the system's authorities, too.
    sslrootcert: connection.sslRootCert ?? (isVerified ? 'system' : undefined),
    sslcert: connection.sslCert,
    sslkey: connection.sslKey,
    sslpassword: connection.sslPassword,
    sslcertmode: connection.sslCertMode,
    sslcrl: connection.sslRevoked,
    sslnegotiation: connection.sslNegotiation,
    ssl_min_protocol_version: connection.sslMinVersion,
    ssl_max_protocol_version: connection.sslMaxVersion,
    channel_binding: connection.channelBinding,
    require_auth: connection.requireAuth,
    // It is the server that was chosen: one that has changed its part meanwhile is refused.
    target_session_attrs: connection.targetSessionAttrs,
    gssencmode: 'disable',
    options: [connection.options, ...settings].filter(Boolean).join(' ') || undefined,
  };
  const lines = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const broken = lines.find((line) => /[\r\n\0]/.test(line) || /\s$/.test(line));
  if (broken !== undefined)
    throw new AisecError('CONFIG_INVALID', `the connection parameter ${broken.split('=', 1)[0] ?? ''} cannot be used`, {
      detail: 'It has a line break in it or a blank at its end, which a connection service file cannot hold.',
      hint: `Correct it in ${target.source}.`,
    });
  return `[${SERVICE}]\n${lines.join('\n')}\n`;
}

/** One line that fits whatever host libpq looks up. https://www.postgresql.org/docs/17/libpq-pgpass.html */
function passwordFile(password: string): string {
  return `*:*:*:*:${password.replaceAll(/[\\:]/g, (character) => `\\${character}`)}\n`;
}

/**
 * Runs the callback while a service file and a password file for the server are there, in a directory that only the owner
 * can enter; they go whatever happens. Neither the command line nor the environment of a child has the password.
 */
export async function withCredentials<Result>(
  target: ServerTarget,
  options: CredentialOptions,
  use: (credentials: Credentials) => Promise<Result>,
): Promise<Result> {
  return withPrivateDirectory(PREFIX, async (directory) => {
    const [service, password] = [join(directory, 'pg_service.conf'), join(directory, 'pgpass')];
    writeTemporary(service, serviceFile(target, password, options));
    // Also without a password: ~/.pgpass was looked into already.
    const { password: secret } = target.connection;
    writeTemporary(password, secret === undefined ? '' : passwordFile(secret));
    return use({
      dbname: `service=${SERVICE}`,
      variables: { PGSERVICEFILE: service, PGPASSFILE: password },
    });
  });
}
