import type { Socket } from 'node:net';

import type pg from 'pg';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { ServerTarget } from '../../config/database-target.js';
import { clientClass } from './login/channel-binding.js';
import { describeServer, translateConnectError } from './connect-error.js';
import { translateError } from './error.js';
import type { OpenOptions } from './open-options.js';
import { Session, type SideConnection } from './session.js';
import type { PinOptions } from './pinned-settings.js';
import { refuseTransactionPooler } from './login/pooler.js';
import { refuseOtherKindOfServer } from './login/session-attributes.js';
import { identifySession, serverSettings } from './session-settings.js';
import { connectWithin } from './login/wait-for-server.js';
import { isTlsRefusal, tlsChoices, type TlsChoice } from './login/tls.js';

const CONNECT_TIMEOUT_MS = 10_000;
const CANCEL_TIMEOUT_MS = 2000;
/** A cancelled statement ends at once, or it is not going to: then the connection is cut. */
const CANCEL_GRACE_MS = 5000;
/** The operating system's default is two hours. */
const KEEP_ALIVE_AFTER_MS = 30_000;
const OLDEST_SERVER = 160_000;
const NO_LIMITS = { lockTimeoutMs: 0, statementTimeoutMs: 0, idleTimeoutMs: 0 };

const NEVER = new AbortController().signal;

function clientConfig(target: ServerTarget, applicationName: string, ssl: TlsChoice): pg.ClientConfig {
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
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    // A function, so that the driver does not look for a password elsewhere: src/config has looked.
    password: () => password ?? '',
    ...(options !== undefined && { options }),
  };
}

function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}

async function tryConnect(config: pg.ClientConfig, signal: AbortSignal, channelBinding?: string): Promise<pg.Client> {
  const Client = clientClass(channelBinding);
  const client = new Client(config);
  // From the beginning: what the server says in the same packet as its welcome comes before anybody else can listen. The
  // next statement fails with it.
  client.on('error', () => undefined);
  const stop = (): void => cut(client);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface Connected {
  readonly client: pg.Client;
  readonly ssl: TlsChoice;
}

async function connectByTls(target: ServerTarget, applicationName: string, signal: AbortSignal): Promise<Connected> {
  const choices = tlsChoices(target.connection);
  for (const [index, ssl] of choices.entries()) {
    const config = clientConfig(target, applicationName, ssl);
    try {
      return { client: await tryConnect(config, signal, target.connection.channelBinding), ssl };
    } catch (error) {
      if (index === choices.length - 1 || !isTlsRefusal(error)) throw error;
    }
  }
  throw new Error('no way to connect was tried');
}

/** A bare connection, for what needs one for itself. Fails with what the driver or the system says. */
export async function connect(
  target: ServerTarget,
  applicationName: string,
  signal: AbortSignal = NEVER,
): Promise<pg.Client> {
  return (await connectByTls(target, applicationName, signal)).client;
}

/**
 * The first way to encrypt that the server takes, or false: a pool has one for all of its connections. Connects only
 * where sslmode leaves a choice.
 */
export async function findTls(target: ServerTarget, applicationName: string): Promise<TlsChoice> {
  const [first = false, ...others] = tlsChoices(target.connection);
  if (others.length === 0) return first;
  const { client, ssl } = await connectByTls(target, applicationName, NEVER);
  await client.end();
  return ssl;
}

/** A cancel request from pg does not speak TLS, so the cancel is a query of its own: any role may cancel its own sessions. */
async function cancelBackend(target: ServerTarget, applicationName: string, pid: number): Promise<void> {
  const connection = { ...target.connection, connectTimeoutSeconds: String(CANCEL_TIMEOUT_MS / 1000) };
  const client = await connect({ ...target, connection }, applicationName, NEVER);
  try {
    await client.query('select pg_catalog.pg_cancel_backend($1)', [pid]);
  } finally {
    cut(client);
  }
}

/** With the settings of its session, but without limits: it waits for the session. */
async function openSide(client: pg.Client, pins: PinOptions): Promise<SideConnection> {
  try {
    await identifySession(client, 'server', pins);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateError(error);
  }
  return {
    query: async <Row extends object>(text: string, values: readonly unknown[]) =>
      (await client.query<Row>(text, [...values])).rows,
    close: () => client.end().catch(() => undefined),
  };
}

function refuseOldServer(label: string, serverVersion: number): void {
  if (serverVersion >= OLDEST_SERVER) return;
  const major = Math.floor(serverVersion / 10_000);
  throw new AisecError('DATABASE_UNSUPPORTED', `${label} runs PostgreSQL ${major}, which is too old`, {
    hint: 'aisec needs PostgreSQL 16 or newer.',
  });
}

async function cancelOrCut(client: pg.Client, target: ServerTarget, name: string, pid: number): Promise<void> {
  try {
    await cancelBackend(target, name, pid);
    setTimeout(() => cut(client), CANCEL_GRACE_MS).unref();
  } catch {
    // No second login to be had: the server ends a statement whose client is gone, within client_connection_check_interval.
    cut(client);
  }
}

/** Waits for the server as long as the options say, and says in one kind of error why there is no connection. */
async function logIn<Connection>(
  target: ServerTarget,
  options: OpenOptions,
  connectOnce: () => Promise<Connection>,
): Promise<Connection> {
  try {
    return await connectWithin(
      {
        waitMs: options.waitForServerMs ?? 0,
        signal: options.signal,
        onWait: () => options.onStep?.(`waiting for ${describeServer(target)} ...`),
      },
      connectOnce,
    );
  } catch (error) {
    if (options.signal.aborted) throw interruptionError(options.signal);
    throw error instanceof AisecError ? error : translateConnectError(error, target);
  }
}

/**
 * A session on a server, with the session settings of `session-settings.ts`.
 *
 * @throws AisecError DATABASE_* for each way in which the connection cannot be made; INTERRUPTED, TERMINATED.
 */
export async function openServer(target: ServerTarget, options: OpenOptions): Promise<Session> {
  const { signal, applicationName } = options;
  if (signal.aborted) throw interruptionError(signal);
  const { client, ssl } = await logIn(target, options, () => connectByTls(target, applicationName, signal));
  const label = describeServer(target);
  const connectAgain = (): Promise<pg.Client> =>
    logIn(target, options, () =>
      tryConnect(clientConfig(target, applicationName, ssl), signal, target.connection.channelBinding),
    );
  const stop = (): void => cut(client);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await refuseOtherKindOfServer(client, target.connection.targetSessionAttrs, label);
    const { pid, serverVersion } = await identifySession(client, 'server', options);
    refuseOldServer(label, serverVersion);
    await refuseTransactionPooler(client, {
      label,
      pid,
      source: target.source,
      open: connectAgain,
    });
    const info = { kind: 'server', label, databaseName: target.connection.database, pid, serverVersion } as const;
    return new Session(client, info, {
      signal,
      ...(options.onNotice && { onNotice: options.onNotice }),
      cancel: () => cancelOrCut(client, target, applicationName, pid),
      settings: serverSettings(options),
      openSide: async () => openSide(await connectAgain(), { ...options, ...NO_LIMITS }),
      copyIn: async (into, chunks) => {
        const { streamCopy } = await import('./stream-copy.js');
        return streamCopy(client, into, chunks);
      },
    });
  } catch (error) {
    await client.end().catch(() => undefined);
    if (signal.aborted) throw interruptionError(signal);
    throw translateError(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
