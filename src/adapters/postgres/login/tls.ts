import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

import { AisecError, messageOf } from '../../../base/errors.js';
import type { ServerConnection } from '../../../config/server-connection.js';

export type TlsChoice = ConnectionOptions | false;

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not read the certificate file "${file}"`, {
      detail: `${messageOf(error)}.`,
      hint: 'Check sslrootcert, sslcert and sslkey.',
      cause: error,
    });
  }
}

/**
 * What to try, in order: sslmode as libpq means it, with Node's own certificate authorities where no sslrootcert is
 * given. A local socket is never encrypted.
 * https://www.postgresql.org/docs/16/libpq-ssl.html#LIBPQ-SSL-PROTECTION
 *
 * @throws AisecError CONFIG_INVALID for an unknown mode or a file that cannot be read.
 */
export function tlsChoices(connection: ServerConnection): readonly TlsChoice[] {
  const mode = connection.sslMode ?? 'prefer';
  const isLocal = connection.host?.startsWith('/') === true;
  const ca = pem(connection.sslRootCert === 'system' ? undefined : connection.sslRootCert);
  const cert = pem(connection.sslCert);
  const key = pem(connection.sslKey);
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const unchecked = { ...files, rejectUnauthorized: false };
  const checkedChain = { ...files, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return isLocal ? [false] : [false, unchecked];
    case 'prefer':
      return isLocal ? [false] : [unchecked, false];
    case 'require':
      return [ca === undefined ? unchecked : checkedChain];
    case 'verify-ca':
      return [checkedChain];
    case 'verify-full':
      return [files];
    default:
      throw new AisecError('CONFIG_INVALID', `invalid sslmode "${mode}"`, {
        hint: 'It is one of disable, allow, prefer, require, verify-ca and verify-full.',
      });
  }
}

/** Whether it was about encryption that a connection failed, so that the next choice may do better. */
export function isTlsRefusal(error: unknown): boolean {
  const { code } = error as { code?: string };
  if (code === '28000') return /encryption/i.test(messageOf(error));
  return isTlsFault(error);
}

/** Whether the encryption itself failed: not offered, or a certificate that does not hold. */
export function isTlsFault(error: unknown): boolean {
  const { code } = error as { code?: string };
  return (
    /does not support SSL|error establishing an SSL/i.test(messageOf(error)) ||
    (code !== undefined && /^(ERR_SSL|ERR_TLS|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code))
  );
}
