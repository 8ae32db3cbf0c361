import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions, SecureVersion } from 'node:tls';

import { AisecError, messageOf } from '../../../base/errors.js';
import type { ServerConnection } from '../../../config/connection/server-connection.js';
import { shellWord } from '../../../base/package/aisec-command.js';

export type TlsChoice = ConnectionOptions | false;

function unusable(file: string, detail: string, hint: string, cause?: unknown): AisecError {
  return new AisecError('CONFIG_INVALID', `could not read the certificate file "${file}"`, { detail, hint, cause });
}

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(file, `${messageOf(error)}.`, 'Check sslrootcert, sslcert, sslkey and sslcrl.', error);
  }
}

/** As libpq: a key that others may read is not used. One of root may be read by its group. */
function keyPem(file: string): string | undefined {
  const { mode, uid } = statSync(file, { throwIfNoEntry: false }) ?? { mode: 0, uid: 0 };
  if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0) return pem(file);
  throw new AisecError('CONFIG_INVALID', `the key file "${file}" can be read by others, so it was not used`, {
    hint: `chmod 600 ${shellWord(file)}`,
  });
}

function clientCertificate({ sslCert, sslKey, sslPassword, sslCertMode }: ServerConnection): ConnectionOptions {
  if (sslCert === undefined || sslCertMode === 'disable') return {};
  const cert = pem(sslCert);
  if (sslKey === undefined)
    throw new AisecError('CONFIG_INVALID', `there is no key for the certificate "${sslCert}"`, {
      hint: 'Set sslkey to its file.',
    });
  const key = keyPem(sslKey);
  return { ...(cert && { cert }), ...(key && { key }), ...(sslPassword !== undefined && { passphrase: sslPassword }) };
}

/** What is compared with the certificate and sent as its name, where the address is another one. */
function nameOf({ host = '', hostAddress }: ServerConnection): ConnectionOptions {
  if (hostAddress === undefined) return {};
  return { host, ...(isIP(host) === 0 && { servername: host }) };
}

function optionsOf(connection: ServerConnection): ConnectionOptions {
  const { sslRootCert, sslRevoked, sslMinVersion, sslMaxVersion } = connection;
  const ca = pem(sslRootCert === 'system' ? undefined : sslRootCert);
  const crl = pem(sslRevoked);
  return {
    ...nameOf(connection),
    ...(ca && { ca }),
    ...(crl && { crl }),
    ...clientCertificate(connection),
    minVersion: (sslMinVersion ?? 'TLSv1.2') as SecureVersion,
    ...(sslMaxVersion !== undefined && { maxVersion: sslMaxVersion as SecureVersion }),
  };
}

/** The ways to encrypt that sslmode allows, in order. */
function modesOf(mode: string, options: ConnectionOptions): readonly TlsChoice[] {
  const unchecked = { ...options, rejectUnauthorized: false };
  const checkedChain = { ...options, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unchecked];
    case 'prefer':
      return [unchecked, false];
    case 'require':
      return [options.ca === undefined ? unchecked : checkedChain];
    case 'verify-ca':
      return [checkedChain];
    case 'verify-full':
      return [options];
    default:
      throw new AisecError('CONFIG_INVALID', `invalid sslmode "${mode}"`, {
        hint: 'It is one of disable, allow, prefer, require, verify-ca and verify-full.',
      });
  }
}

/**
 * What to try, in order: sslmode as libpq means it, with Node's own certificate authorities where no sslrootcert is
 * given. A local socket is never encrypted.
 * https://www.postgresql.org/docs/16/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 *
 * @throws AisecError CONFIG_INVALID for an unknown mode, a file that cannot be read or a key that others can read.
 */
export function tlsChoices(connection: ServerConnection): readonly TlsChoice[] {
  const mode = connection.sslMode ?? (connection.sslRootCert === 'system' ? 'verify-full' : 'prefer');
  if (mode === 'disable' || connection.host?.startsWith('/') === true) return [false];
  return modesOf(mode, optionsOf(connection));
}

/** Whether the next choice may do better, as in libpq: pg_hba.conf may have other rules for it, in whatever language it says so. */
export function isTlsRefusal(error: unknown): boolean {
  return (error as { code?: string }).code === '28000' || isTlsFault(error);
}

/** Whether the encryption itself failed: not offered, or a certificate that does not hold. */
export function isTlsFault(error: unknown): boolean {
  const { code } = error as { code?: string };
  return (
    /does not support SSL|error establishing an SSL/i.test(messageOf(error)) ||
    (code !== undefined && /^(ERR_SSL|ERR_TLS|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code))
  );
}
