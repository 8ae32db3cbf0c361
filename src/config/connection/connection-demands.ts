import { AisecError } from '../../base/errors.js';
import { refuseDemand } from './connection-parameters.js';
import type { ServerConnection } from './server-connection.js';

type Field = keyof ServerConnection;

const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** The values of libpq's parameters that are one of a few words. */
const WORDS: Readonly<Partial<Record<Field, readonly [name: string, values: readonly string[]]>>> = {
  targetSessionAttrs: [
    'target_session_attrs',
    ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'],
  ],
  loadBalanceHosts: ['load_balance_hosts', ['disable', 'random']],
  channelBinding: ['channel_binding', ['disable', 'prefer', 'require']],
  gssEncMode: ['gssencmode', ['disable', 'prefer', 'require']],
  sslMode: ['sslmode', ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']],
  sslNegotiation: ['sslnegotiation', ['postgres', 'direct']],
  sslCertMode: ['sslcertmode', ['disable', 'allow', 'require']],
  sslMinVersion: ['ssl_min_protocol_version', PROTOCOLS],
  sslMaxVersion: ['ssl_max_protocol_version', PROTOCOLS],
};

const AUTH_METHODS = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'none'];

function invalid(name: string, value: string, source: string, hint: string): AisecError {
  return new AisecError('CONFIG_INVALID', `invalid ${name} "${value}" in ${source}`, { hint });
}

function checkMethods(value: string, source: string): void {
  const methods = value.split(',').map((each) => each.trim());
  const names = methods.map((each) => each.replace(/^!/, ''));
  const isMixed = new Set(methods.map((each) => each.startsWith('!'))).size > 1;
  if (!isMixed && new Set(names).size === names.length && names.every((each) => AUTH_METHODS.includes(each))) return;
  throw invalid(
    'require_auth',
    value,
    source,
    `It is a list of ${AUTH_METHODS.join(', ')} with commas, each once, either all or none of them with a "!".`,
  );
}

/** The rules of libpq by which one parameter limits another one. */
function checkTls({ sslMode, sslRootCert, sslNegotiation, sslMinVersion, sslMaxVersion }: ServerConnection): void {
  const refuse = (message: string, hint: string): never => {
    throw new AisecError('CONFIG_INVALID', message, { hint });
  };
  if (sslRootCert === 'system' && sslMode !== undefined && sslMode !== 'verify-full')
    refuse(`sslmode=${sslMode} is too weak for sslrootcert=system`, 'Set sslmode=verify-full, or leave it out.');
  const mode = sslMode ?? (sslRootCert === 'system' ? 'verify-full' : 'prefer');
  if (sslNegotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(mode))
    refuse(
      `sslmode=${mode} is too weak for sslnegotiation=direct`,
      'Set sslmode to require, verify-ca or verify-full.',
    );
  if (
    sslMinVersion !== undefined &&
    sslMaxVersion !== undefined &&
    PROTOCOLS.indexOf(sslMinVersion) > PROTOCOLS.indexOf(sslMaxVersion)
  )
    refuse(
      `ssl_min_protocol_version=${sslMinVersion} is above ssl_max_protocol_version=${sslMaxVersion}`,
      'Correct one of the two.',
    );
}

/**
 * Refuses values that libpq calls invalid, and demands that aisec cannot keep: one that is dropped without a word is a hole.
 *
 * @throws AisecError CONFIG_INVALID.
 */
export function refuseUnmetDemands(connection: ServerConnection, source: string): void {
  for (const [field, [name, values]] of Object.entries(WORDS)) {
    const value = connection[field as Field];
    if (value === undefined || values.includes(value)) continue;
    throw invalid(name, value, source, `It is one of ${values.join(', ')}.`);
  }
  if (connection.requireAuth !== undefined) checkMethods(connection.requireAuth, source);
  if (connection.gssEncMode === 'require')
    refuseDemand(
      `gssencmode=require (${source} or PGGSSENCMODE)`,
      'Use sslmode=verify-full to encrypt the connection.',
    );
  if (connection.sslCertMode === 'require')
    refuseDemand(
      `sslcertmode=require (${source} or PGSSLCERTMODE)`,
      'Leave it out; the server decides what it asks for.',
    );
  checkTls(connection);
}
