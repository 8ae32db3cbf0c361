import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { homeDirectory } from './password-file.js';
import type { ServerConnection } from './server-connection.js';
import type { Environment } from '../settings.js';

/**
 * Adds the files that libpq takes from ~/.postgresql where they are there, so that what psql verifies is verified here, too.
 * https://www.postgresql.org/docs/17/libpq-ssl.html#LIBPQ-SSL-FILE-USAGE
 */
export function withTlsFiles(connection: ServerConnection, environment: Environment): ServerConnection {
  const home = homeDirectory(environment);
  if (home === undefined || connection.sslMode === 'disable') return connection;
  const found = (name: string): string | undefined => {
    const file = join(home, '.postgresql', name);
    return existsSync(file) ? file : undefined;
  };
  const sslRootCert = connection.sslRootCert ?? found('root.crt');
  const sslRevoked = connection.sslRevoked ?? (sslRootCert === 'system' ? undefined : found('root.crl'));
  const sslCert = connection.sslCert ?? (connection.sslCertMode === 'disable' ? undefined : found('postgresql.crt'));
  const sslKey = connection.sslKey ?? (sslCert === undefined ? undefined : found('postgresql.key'));
  return {
    ...connection,
    ...(sslRootCert !== undefined && { sslRootCert }),
    ...(sslRevoked !== undefined && { sslRevoked }),
    ...(sslCert !== undefined && { sslCert }),
    ...(sslKey !== undefined && { sslKey }),
  };
}
