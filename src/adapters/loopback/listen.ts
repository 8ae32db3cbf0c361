import type { AddressInfo, Server } from 'node:net';

import { AisecError } from '../../base/errors.js';

/** Only this machine can reach it. */
export const LOOPBACK = '127.0.0.1';

function listenError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error;
  const reason = error.code === 'EACCES' ? 'may not be used by this user' : 'is in use by another process';
  return new AisecError('USAGE', `port ${port} of ${LOOPBACK} ${reason}`, {
    hint: `Choose another one: --port ${port + 1}, or --port 0 for any that is free.`,
    cause: error,
  });
}

export interface ListenOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Called once, when clients can connect. */
  readonly onReady: (port: number) => void;
}

/**
 * Has a server accept connections of this machine until the signal comes, or `failed` rejects.
 *
 * @throws AisecError USAGE when the port is in use; what `failed` rejects with.
 */
export async function listenUntil(
  server: Server,
  { port, signal, onReady }: ListenOptions,
  failed: Promise<never>,
): Promise<void> {
  let stop: () => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    stop = resolve;
    server.on('error', (error) => reject(listenError(error, port)));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) resolve();
    else server.listen(port, LOOPBACK, () => onReady((server.address() as AddressInfo).port));
  });
  try {
    await Promise.race([ended, failed]);
  } finally {
    signal.removeEventListener('abort', stop);
    server.close();
  }
}
