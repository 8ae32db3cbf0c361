import { createServer } from 'node:net';

import type { PGlite } from '@electric-sql/pglite';

import { listenUntil, type ListenOptions } from '../../loopback/listen.js';
import { Connection } from './connection.js';
import { SharedSession } from './shared-session.js';
import { Turns } from './turns.js';

export interface ServeOptions extends ListenOptions {
  readonly databaseName: string;
  /** How long a statement waits for another connection's transaction; 0: no limit. */
  readonly lockTimeoutMs: number;
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
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
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
  try {
    await listenUntil(server, options, failed);
  } finally {
    await turns.close();
    for (const connection of connections)
      connection.end({ sqlState: '57P01', message: 'terminating connection due to administrator command' });
    if (!engine.closed && engine.isInTransaction()) await engine.exec('rollback');
  }
}
