import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { afterSilence } from '../../../base/interruption.js';

/** What node-postgres knows of a connection and does not declare. */
interface Login {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | boolean;
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly connection: { readonly stream: Socket };
}

interface Wire {
  readonly stream: Socket;
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number | null, secretKey: number | null): void;
}

/** A statement that runs for longer than this after its cancel loses its connection. */
const CANCEL_WITHIN_MS = 2000;
/** A cancel that came between two statements hit none, so it is sent again. */
const AGAIN_AFTER_MS = 100;

function loginOf(client: pg.ClientBase): Login {
  return client as unknown as Login;
}

/** Encrypted and checked as the connection itself, though the address is a number. */
function tlsOf({ ssl, host }: Login): ConnectionOptions | boolean {
  if (typeof ssl === 'boolean') return ssl;
  // node-postgres hides the key from spreading.
  return { ...ssl, ...(ssl.key !== undefined && { key: ssl.key }), host: ssl.host ?? host };
}

/**
 * A cancel request of the protocol, to the very address that the connection leads to: a pooler passes it on to the session
 * that serves the client, whose pid the client does not know. Resolves when the other side has closed, which it does when
 * the request was delivered, or when it failed.
 * https://www.postgresql.org/docs/16/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
async function requestCancel(login: Login, signal: AbortSignal): Promise<void> {
  const { processID, secretKey, host, port, connection } = login;
  const wire = new pg.Connection({ ssl: tlsOf(login) }) as unknown as Wire & EventEmitter;
  const { stream } = wire;
  const cut = (): void => void stream.destroy();
  signal.addEventListener('abort', cut, { once: true });
  await new Promise<void>((resolve) => {
    const send = (): void => wire.cancel(processID, secretKey);
    wire.on('connect', () => (login.ssl === false ? send() : wire.requestSsl()));
    wire.on('sslconnect', send);
    wire.on('error', cut);
    wire.on('end', resolve);
    if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`);
    else wire.connect(port, connection.stream.remoteAddress ?? host);
  });
  signal.removeEventListener('abort', cut);
}

/**
 * Ends what runs on a connection, until `isDone`. Resolves when no cancel is under way any more, so that none hits what is
 * sent next; a connection that does not obey in time is cut.
 */
export async function cancelStatements(client: pg.ClientBase, isDone: () => boolean): Promise<void> {
  const login = loginOf(client);
  const deadline = new AbortController();
  const stop = afterSilence(CANCEL_WITHIN_MS, () => deadline.abort());
  while (login.processID !== null && !isDone() && !deadline.signal.aborted) {
    await requestCancel(login, deadline.signal);
    for (let waitedMs = 0; waitedMs < AGAIN_AFTER_MS && !isDone(); waitedMs += 5) await sleep(5);
  }
  stop();
  if (!isDone()) login.connection.stream.destroy();
}
