import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import pg from 'pg';

const BOUND = 'SCRAM-SHA-256-PLUS';

interface Wire extends EventEmitter {
  readonly stream: Socket;
}

/** What libpq says when channel_binding=require is not met. */
export class ChannelBindingError extends Error {
  constructor(reason: string) {
    super(`channel binding is required, but ${reason}`);
  }
}

/**
 * channel_binding=require: a login that is bound to the TLS connection (SCRAM-SHA-256-PLUS) or none. The driver takes it where
 * the server offers it; here every other way is cut before a password or its proof is sent.
 */
export class ChannelBoundClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super({ ...(typeof config === 'string' ? { connectionString: config } : config), enableChannelBinding: true });
    // The driver adds its own listeners when it connects, after these.
    const wire = (this as unknown as { connection: Wire }).connection;
    let isBound = false;
    const refuse = (reason: string): void => {
      wire.emit('error', new ChannelBindingError(reason));
      wire.stream.destroy();
    };
    for (const event of ['authenticationCleartextPassword', 'authenticationMD5Password'])
      wire.once(event, () => refuse('the server asks for the password itself'));
    wire.once('authenticationSASL', ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
      isBound = mechanisms.includes(BOUND);
      if (!isBound) refuse('the server does not offer it (it does over TLS only)');
    });
    // After the login, before anything is sent.
    wire.once('backendKeyData', () => {
      if (!isBound) refuse('the server let the client in without it');
    });
  }
}

/** The class of client that a connection demands. */
export function clientClass(channelBinding: string | undefined): typeof pg.Client {
  return channelBinding === 'require' ? ChannelBoundClient : pg.Client;
}
