import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import pg from 'pg';

import type { ServerConnection } from '../../../config/connection/server-connection.js';

const BOUND = 'SCRAM-SHA-256-PLUS';

/** What the protocol calls the ways to log in, and require_auth. */
const METHODS: Readonly<Record<string, string>> = {
  authenticationCleartextPassword: 'password',
  authenticationMD5Password: 'md5',
  authenticationSASL: 'scram-sha-256',
};

interface Wire extends EventEmitter {
  readonly stream: Socket;
}

/** What libpq says when channel_binding=require or require_auth is not met. */
export class LoginDemandError extends Error {
  readonly parameter: string;

  constructor(parameter: string, reason: string) {
    super(reason);
    this.parameter = parameter;
  }
}

type Demands = Pick<ServerConnection, 'channelBinding' | 'requireAuth'>;

function isAllowed(method: string, requireAuth: string | undefined): boolean {
  if (requireAuth === undefined) return true;
  const listed = requireAuth.split(',').map((each) => each.trim());
  return requireAuth.trim().startsWith('!') ? !listed.includes(`!${method}`) : listed.includes(method);
}

/** Cuts every login that is not as demanded before a password or its proof is sent. */
function watch(wire: Wire, { channelBinding, requireAuth }: Demands): void {
  let method = 'none';
  let isBound = false;
  let isProven = false;
  const refuse = (parameter: string, reason: string): void => {
    wire.emit('error', new LoginDemandError(parameter, reason));
    wire.stream.destroy();
  };
  const refuseUnbound = (reason: string): void =>
    refuse('channel_binding', `channel binding is required, but ${reason}`);
  for (const [event, name] of Object.entries(METHODS))
    wire.once(event, ({ mechanisms = [] }: { readonly mechanisms?: readonly string[] }) => {
      method = name;
      isBound = mechanisms.includes(BOUND);
      if (!isAllowed(method, requireAuth))
        refuse('require_auth', `require_auth=${requireAuth ?? ''} is demanded, but the server asks for ${method}`);
      else if (channelBinding === 'require' && !isBound)
        refuseUnbound(
          method === 'scram-sha-256'
            ? 'the server does not offer it (it does over TLS only)'
            : 'the server asks for the password itself',
        );
    });
  // The server has shown that it knows the password, too: without it anybody could say that the login is done.
  wire.once('authenticationSASLFinal', () => {
    isProven = true;
  });
  // After the login, before anything is sent.
  wire.once('backendKeyData', () => {
    if (method === 'scram-sha-256' && !isProven) method = 'none';
    if (!isAllowed(method, requireAuth))
      refuse(
        'require_auth',
        `require_auth=${requireAuth ?? ''} is demanded, but the server let the client in without a password`,
      );
    else if (channelBinding === 'require' && !(isBound && isProven))
      refuseUnbound('the server let the client in without it');
  });
}

/**
 * The class of client that a connection demands. As in libpq a login is bound to the TLS connection (SCRAM-SHA-256-PLUS) where
 * the server offers it, unless channel_binding is `disable`.
 */
export function clientClass(demands: Demands): typeof pg.Client {
  const { channelBinding = 'prefer', requireAuth } = demands;
  if (channelBinding === 'disable' && requireAuth === undefined) return pg.Client;
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      // Not in the configuration: a copy of a pool's options lacks the password.
      (this as unknown as { enableChannelBinding: boolean }).enableChannelBinding = channelBinding !== 'disable';
      // The driver adds its own listeners when it connects, after these.
      if (channelBinding === 'require' || requireAuth !== undefined)
        watch((this as unknown as { connection: Wire }).connection, demands);
    }
  };
}
