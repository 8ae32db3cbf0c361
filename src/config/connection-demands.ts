import { AisecError } from '../base/errors.js';
import type { ServerConnection } from './server-connection.js';
import type { Environment } from './settings.js';

/** Variables of libpq that ask for something which aisec does not do, and the values that ask for nothing. */
const NOT_DONE: Readonly<Record<string, readonly string[]>> = {
  PGREQUIREAUTH: [],
  PGREQUIREPEER: [],
  PGREQUIRESSL: ['0'],
  PGSSLCRL: [],
  PGSSLCRLDIR: [],
  PGSSLNEGOTIATION: ['postgres'],
  PGSSLCERTMODE: ['disable', 'allow'],
  PGSSLMINPROTOCOLVERSION: ['TLSv1', 'TLSv1.1', 'TLSv1.2'],
  PGSSLMAXPROTOCOLVERSION: [],
  PGMINPROTOCOLVERSION: ['3.0'],
};

const SESSION_ATTRS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'];

function refuse(what: string, hint: string): never {
  throw new AisecError('CONFIG_INVALID', `${what} asks for what aisec cannot do`, { hint });
}

/**
 * Refuses what libpq would demand of the connection and aisec cannot: a demand that is dropped without a word is a hole.
 *
 * @throws AisecError CONFIG_INVALID.
 */
export function refuseUnmetDemands(connection: ServerConnection, environment: Environment, source: string): void {
  const { channelBinding = 'prefer', gssEncMode, targetSessionAttrs = 'any' } = connection;
  if (!['disable', 'prefer', 'require'].includes(channelBinding))
    throw new AisecError('CONFIG_INVALID', `invalid channel_binding "${channelBinding}" in ${source}`, {
      hint: 'It is disable, prefer or require.',
    });
  if (gssEncMode === 'require')
    refuse(`gssencmode=require (${source} or PGGSSENCMODE)`, 'Use sslmode=verify-full to encrypt the connection.');
  if (!SESSION_ATTRS.includes(targetSessionAttrs))
    throw new AisecError('CONFIG_INVALID', `invalid target_session_attrs "${targetSessionAttrs}" in ${source}`, {
      hint: `It is one of ${SESSION_ATTRS.join(', ')}.`,
    });
  for (const [variable, harmless] of Object.entries(NOT_DONE)) {
    const value = environment[variable];
    if (value !== undefined && !harmless.includes(value))
      refuse(`${variable}=${value}`, `Unset ${variable} for aisec.`);
  }
}
