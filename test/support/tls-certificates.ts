import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

/** A certificate authority in a directory of its own, and what it has signed. */
export interface Authority {
  /** Path of a file that was made: `ca.crt`, `NAME.crt`, `NAME.key`. */
  readonly file: (name: string) => string;
  /** @param days below 0: it is out of date already */
  readonly sign: (name: string, commonName: string, days?: number) => void;
  /** Writes a list with one revoked certificate, `ca.crl`. */
  readonly revoke: (name: string) => void;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function createAuthority(): Authority {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-tls-'));
  const file = (name: string): string => path.join(directory, name);
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  );
  return {
    file,
    sign: (name, commonName, days = 2) => {
      openssl('req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${commonName}`);
      writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${commonName}\n`);
      const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
      openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', String(days), '-out', `${name}.crt`);
      chmodSync(file(`${name}.key`), 0o600);
    },
    revoke: (name) => {
      writeFileSync(file('index'), '');
      writeFileSync(
        file('ca.cnf'),
        '[ca]\ndefault_ca=own\n[own]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\n',
      );
      const by = ['-config', 'ca.cnf', '-keyfile', 'ca.key', '-cert', 'ca.crt'];
      openssl('ca', ...by, '-revoke', `${name}.crt`);
      openssl('ca', ...by, '-gencrl', '-out', 'ca.crl');
    },
  };
}

/** Turns TLS on at a private server, with a certificate of the authority, or changes the certificate. */
export async function serveTls(url: string, authority: Authority, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // As the server's own user, in the data directory.
  const put = async (source: string, target: string): Promise<void> => {
    const text = readFileSync(authority.file(source)).toString('base64');
    await client.query(`copy (select '${text}') to program 'base64 -d > ${target} && chmod 600 ${target}'`);
  };
  await put(`${name}.crt`, 'server.crt');
  await put(`${name}.key`, 'server.key');
  await put('ca.crt', 'root.crt');
  await client.query("alter system set ssl_ca_file = 'root.crt'");
  await client.query('alter system set ssl = on');
  await client.query('select pg_reload_conf()');
  await client.end();
}
