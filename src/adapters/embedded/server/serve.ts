import { createServer, type AddressInfo } from 'node:net';

import type { PGlite } from '@electric-sql/pglite';

import { AisecError } from '../../../base/errors.js';
import { Connection } from './connection.js';
import { SharedSession } from './shared-session.js';
import { Turns } from './turns.js';

/** Only this machine can reach it. */
export const LOOPBACK = '127.0.0.1';

export interface ServeOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly databaseName: string;
  /** How long a statement waits for another connection's transaction; 0: no limit. */
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Called once, when clients can connect. */
  readonly onReady: (port: number) => void;
}

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error;
  const reason = error.code === 'EACCES' ? 'may not be used by this user' : 'is in use by another process';
  return new AisecError('USAGE', `port ${port} of ${LOOPBACK} ${reason}`, {
    hint: `Choose another one: --port ${port + 1}, or --port 0 for any that is free.`,
    cause: error,
  });
}

/**
 * Serves an engine to clients of PostgreSQL until the signal comes. Clients share its one session: see
 * `Turns` for who has it, and `SharedSession` for what is kept apart.
 *
 * @throws AisecError USAGE when the port is in use; whatever ends the engine.
 */
export async function serve(engine: PGlite, options: ServeOptions): Promise<void> {
  const connections = new Set<Connection>();
  const turns = new Turns<Connection>(options.lockTimeoutMs);
  const session = new SharedSession(engine);
  let [stop, fail]: [() => void, (error: unknown) => void] = [() => undefined, () => undefined];
  const ended = new Promise<void>((resolve, reject) => {
    [stop, fail] = [resolve, reject];
  });
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    const connection = new Connection(socket, count, {
      session,
      turns,
      databaseName: options.databaseName,
      publish: (frames) => {
        for (const { bytes } of frames) for (const each of connections) if (each.isListening) each.write(bytes);
      },
      isLastListener: (one) => ![...connections].some((each) => each !== one && each.isListening),
      onFailure: fail,
    });
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  server.on('error', (error) => fail(listenError(error, options.port)));
  options.signal.addEventListener('abort', stop);
  server.listen(options.port, LOOPBACK, () => options.onReady((server.address() as AddressInfo).port));
  try {
    if (!options.signal.aborted) await ended;
  } finally {
    options.signal.removeEventListener('abort', stop);
    server.close();
    await turns.close();
    for (const connection of connections)
      connection.end({ sqlState: '57P01', message: 'terminating connection due to administrator command' });
    if (!engine.closed && engine.isInTransaction()) await engine.exec('rollback');
  }
}
