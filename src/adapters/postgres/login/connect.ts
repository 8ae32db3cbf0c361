import type { Socket } from 'node:net';

import type pg from 'pg';

import { afterSilence } from '../../../base/interruption.js';
import type { ServerTarget } from '../../../config/database-target.js';
import { clientClass } from './demands.js';
import { connectToFirst } from './server-choice.js';
import { refuseOtherKindOfServer } from './session-attributes.js';
import { isTlsRefusal, tlsChoices, type TlsChoice } from './tls.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** The operating system's default is two hours. */
const KEEP_ALIVE_AFTER_MS = 30_000;
const NEVER = new AbortController().signal;

/** One server, and the way to encrypt that it takes. */
export interface Place {
  readonly target: ServerTarget;
  readonly ssl: TlsChoice;
}

export interface Connected extends Place {
  readonly client: pg.Client;
}

type Address = Pick<
  pg.ClientConfig,
  'host' | 'port' | 'user' | 'database' | 'ssl' | 'sslnegotiation' | 'options' | 'password'
>;

/** What the driver must know of a server, for one connection or for a pool of them. */
export function addressConfig({ target, ssl }: Place): Address {
  const { host, hostAddress, port, user, password, database, options, sslNegotiation } = target.connection;
  return {
    host: hostAddress ?? host,
    port: Number(port),
    user,
    database,
    ssl,
    // Always, or the driver would look into the environment.
    sslnegotiation: ssl !== false && sslNegotiation === 'direct' ? 'direct' : 'postgres',
    // A function, so that the driver does not look for a password elsewhere, and none shows up in a dump of it.
    password: () => password ?? '',
    ...(options !== undefined && { options }),
  };
}

export function cut(client: pg.ClientBase, reason?: Error): void {
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy(reason);
}

function connectTimeoutMs({ connection }: ServerTarget): number {
  const { connectTimeoutSeconds } = connection;
  return connectTimeoutSeconds === undefined ? CONNECT_TIMEOUT_MS : Math.max(Number(connectTimeoutSeconds), 0) * 1000;
}

/** A further connection to a server of which it is known how it encrypts. */
export async function connectTo(place: Place, applicationName: string, signal: AbortSignal): Promise<pg.Client> {
  const Client = clientClass(place.target.connection);
  const client = new Client({
    ...addressConfig(place),
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  });
  // From the beginning: what the server says in the same packet as its welcome comes before anybody else can listen. The
  // next statement fails with it.
  client.on('error', () => undefined);
  const timeoutMs = connectTimeoutMs(place.target);
  const giveUp = timeoutMs === 0 ? undefined : afterSilence(timeoutMs, () => cut(client, new Error('timeout expired')));
  const stop = (): void => cut(client);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  } finally {
    giveUp?.();
    signal.removeEventListener('abort', stop);
  }
}

async function encrypted(target: ServerTarget, applicationName: string, signal: AbortSignal): Promise<Connected> {
  const choices = tlsChoices(target.connection);
  for (const [index, ssl] of choices.entries()) {
    try {
      return { client: await connectTo({ target, ssl }, applicationName, signal), ssl, target };
    } catch (error) {
      if (index === choices.length - 1 || !isTlsRefusal(error)) throw error;
    }
  }
  throw new Error('no way to connect was tried');
}

/** Connects to the first server of a target that can be had and is of the kind that target_session_attrs asks for. */
export async function connectToAny(
  target: ServerTarget,
  applicationName: string,
  signal: AbortSignal = NEVER,
): Promise<Connected> {
  return connectToFirst(target, async (server) => {
    const connected = await encrypted(server, applicationName, signal);
    try {
      await refuseOtherKindOfServer(connected.client, server);
      return connected;
    } catch (error) {
      await connected.client.end().catch(() => undefined);
      throw error;
    }
  });
}

/** A bare connection, for what needs one for itself. Fails with what the driver or the system says. */
export async function connect(target: ServerTarget, applicationName: string): Promise<pg.Client> {
  return (await connectToAny(target, applicationName)).client;
}

/**
 * Which server a pool connects to, and how: one for all of its connections. Connects only where there is a choice of servers
 * or of ways to encrypt.
 */
export async function findPlace(target: ServerTarget, applicationName: string): Promise<Place> {
  const [ssl = false, ...others] = tlsChoices(target.connection);
  if (target.servers === undefined && others.length === 0) return { target, ssl };
  const { client, ...place } = await connectToAny(target, applicationName);
  await client.end();
  return place;
}
