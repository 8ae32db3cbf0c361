import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

import pg from 'pg';

import { AisecError, messageOf } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { ServerTarget } from '../../config/database-target.js';
import type { ServerConnection } from '../../config/server-connection.js';
import { describeServer, translateConnectError } from './connect-error.js';
import { translateError } from './error.js';
import type { OpenOptions } from './open-options.js';
import { Session, type SideConnection } from './session.js';
import { identifySession } from './session-settings.js';

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 2000;
const OLDEST_SERVER = 160_000;

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not read the certificate file "${file}"`, {
      detail: messageOf(error),
      cause: error,
    });
  }
}

/** sslmode as libpq means it: https://www.postgresql.org/docs/16/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
function tlsOptions(connection: ServerConnection): ConnectionOptions | false {
  const mode = connection.sslMode ?? 'prefer';
  const ca = pem(connection.sslRootCert);
  const cert = pem(connection.sslCert);
  const key = pem(connection.sslKey);
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  switch (mode) {
    case 'disable':
    case 'allow':
    case 'prefer':
      return false;
    case 'require':
      return ca === undefined
        ? { ...files, rejectUnauthorized: false }
        : { ...files, checkServerIdentity: () => undefined };
    case 'verify-ca':
      return { ...files, checkServerIdentity: () => undefined };
    case 'verify-full':
      return files;
    default:
      throw new AisecError('CONFIG_INVALID', `invalid sslmode "${mode}"`, {
        hint: 'It is one of disable, allow, prefer, require, verify-ca and verify-full.',
      });
  }
}

function clientConfig(target: ServerTarget, applicationName: string, ssl: ConnectionOptions | false): pg.ClientConfig {
  const { host, port, user, password, database, options, connectTimeoutSeconds } = target.connection;
  return {
    host,
    port: Number(port),
    user,
    database,
    ssl,
    application_name: applicationName,
    connectionTimeoutMillis:
      connectTimeoutSeconds === undefined ? CONNECT_TIMEOUT_MS : Number(connectTimeoutSeconds) * 1000,
    keepAlive: true,
    ...(password !== undefined && { password }),
    ...(options !== undefined && { options }),
  };
}

async function tryConnect(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function connect(target: ServerTarget, applicationName: string): Promise<pg.Client> {
  const ssl = tlsOptions(target.connection);
  try {
    return await tryConnect(clientConfig(target, applicationName, ssl));
  } catch (error) {
    const mode = target.connection.sslMode ?? 'prefer';
    // sslmode prefer and allow: a server that only lets encrypted connections in gets one.
    const wantsTls = (error as { code?: string }).code === '28000' && /no encryption/.test(messageOf(error));
    if (!wantsTls || mode === 'disable' || ssl !== false) throw error;
    return tryConnect(clientConfig(target, applicationName, { rejectUnauthorized: false }));
  }
}

/** A cancel request from pg does not speak TLS, so the cancel is a query of its own: any role may cancel its own sessions. */
async function cancelBackend(target: ServerTarget, applicationName: string, pid: number): Promise<void> {
  const client = await connect(
    { ...target, connection: { ...target.connection, connectTimeoutSeconds: String(CANCEL_TIMEOUT_MS / 1000) } },
    applicationName,
  );
  try {
    await client.query('select pg_catalog.pg_cancel_backend($1)', [pid]);
  } finally {
    await client.end();
  }
}

async function openSide(target: ServerTarget, applicationName: string): Promise<SideConnection> {
  const client = await connect(target, applicationName);
  client.on('error', () => undefined);
  return {
    query: async <Row extends object>(text: string, values: readonly unknown[]) =>
      (await client.query<Row>(text, [...values])).rows,
    close: () => client.end().catch(() => undefined),
  };
}

function refuseOldServer(label: string, serverVersion: number): void {
  if (serverVersion >= OLDEST_SERVER) return;
  throw new AisecError(
    'DATABASE_UNSUPPORTED',
    `${label} runs PostgreSQL ${Math.floor(serverVersion / 10_000)}, which is too old`,
    {
      hint: 'aisec needs PostgreSQL 16 or newer.',
    },
  );
}

/**
 * The driver's process id comes from the login handshake, the other one from a query: through a transaction-mode
 * pooler they differ, and session locks and settings would land on whatever connection comes next.
 */
function refusePooler(label: string, handshakePid: number | null, pid: number, source: string): void {
  if (handshakePid === pid) return;
  throw new AisecError('DATABASE_POOLED', `the connection to ${label} goes through a pooler`, {
    detail: 'Session locks and settings do not survive there, so two runs could work at once.',
    hint: `Point ${source} at the PostgreSQL server itself.`,
  });
}

/**
 * A session on a server, with the session settings of design/cli.md.
 *
 * @throws AisecError DATABASE_* for each way in which the connection cannot be made.
 */
export async function openServer(target: ServerTarget, options: OpenOptions): Promise<Session> {
  if (options.signal.aborted) throw interruptionError(options.signal);
  let client: pg.Client;
  try {
    client = await connect(target, options.applicationName);
  } catch (error) {
    throw error instanceof AisecError ? error : translateConnectError(error, target);
  }
  const label = describeServer(target);
  try {
    const { pid, serverVersion } = await identifySession(client, 'server', options);
    refuseOldServer(label, serverVersion);
    refusePooler(label, (client as unknown as { processID: number | null }).processID, pid, target.source);
    const info = { kind: 'server', label, databaseName: target.connection.database, pid, serverVersion } as const;
    const cancel = (): Promise<void> =>
      cancelBackend(target, options.applicationName, pid).catch(() => {
        // The server ends a statement whose client is gone within client_connection_check_interval.
        (client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
      });
    return new Session(client, info, {
      signal: options.signal,
      ...(options.onNotice && { onNotice: options.onNotice }),
      cancel,
      openSide: () => openSide(target, options.applicationName),
    });
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateError(error);
  }
}
