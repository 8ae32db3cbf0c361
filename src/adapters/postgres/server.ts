import type pg from 'pg';

import { AisecError } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import type { ServerTarget } from '../../config/database-target.js';
import { connect, connectTo, connectToAny, cut } from './login/connect.js';
import { describeServer, lostServer, translateConnectError } from './connect-error.js';
import { translateError } from './error.js';
import type { OpenOptions } from './open-options.js';
import { Session, type SideConnection } from './session.js';
import type { PinOptions } from './pinned-settings.js';
import { refuseTransactionPooler } from './login/pooler.js';
import { identifySession, serverSettings } from './session-settings.js';
import { connectWithin } from './login/wait-for-server.js';

const CANCEL_TIMEOUT_MS = 2000;
/** A cancelled statement ends at once, or it is not going to: then the connection is cut. */
const CANCEL_GRACE_MS = 5000;
const OLDEST_SERVER = 160_000;
const NO_LIMITS = { lockTimeoutMs: 0, statementTimeoutMs: 0, idleTimeoutMs: 0 };

/** A cancel request from pg does not speak TLS, so the cancel is a query of its own: any role may cancel its own sessions. */
async function cancelBackend(target: ServerTarget, applicationName: string, pid: number): Promise<void> {
  const { targetSessionAttrs: _, ...connection } = target.connection;
  const limited = { ...connection, connectTimeoutSeconds: String(CANCEL_TIMEOUT_MS / 1000) };
  const client = await connect({ ...target, connection: limited }, applicationName);
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
export async function openServer(named: ServerTarget, options: OpenOptions): Promise<Session> {
  const { signal, applicationName } = options;
  if (signal.aborted) throw interruptionError(signal);
  const { client, ssl, target } = await logIn(named, options, () => connectToAny(named, applicationName, signal));
  const label = describeServer(target);
  const stop = (): void => cut(client);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { pid, serverVersion, runsCitus } = await identifySession(client, 'server', options);
    refuseOldServer(label, serverVersion);
    await refuseTransactionPooler(client, {
      label,
      pid,
      source: target.source,
      open: () => connectTo({ target, ssl }, applicationName, signal),
    });
    options.onServer?.(target);
    const databaseName = target.connection.database;
    const info = { kind: 'server', label, databaseName, pid, serverVersion, runsCitus } as const;
    return new Session(client, info, {
      signal,
      ...(options.onNotice && { onNotice: options.onNotice }),
      cancel: () => cancelOrCut(client, target, applicationName, pid),
      settings: serverSettings(options),
      openSide: async () => {
        const side = await logIn(target, options, () => connectTo({ target, ssl }, applicationName, signal)).catch(
          (error: unknown) => {
            throw lostServer(error);
          },
        );
        return openSide(side, { ...options, ...NO_LIMITS });
      },
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
