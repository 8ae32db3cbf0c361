import { describe, expect, test } from 'vitest';

import { serviceFile } from '../../../../src/adapters/pgtools/credentials.js';
import type { ServerTarget } from '../../../../src/config/database-target.js';

const target = (more: Partial<ServerTarget['connection']> = {}): ServerTarget => ({
  kind: 'server',
  source: 'DATABASE_URL',
  connection: { host: 'db.example', port: '5433', user: 'dba', database: 'app', password: 's3cret', ...more },
});
const linesOf = (more: Partial<ServerTarget['connection']> = {}, settings?: Record<string, string>) =>
  serviceFile(target(more), '/private/pgpass', {
    applicationName: 'aisec backup',
    ...(settings && { settings }),
  }).split('\n');

describe('the connection service file for pg_dump', () => {
  test('names server, role, database and who asks, and the password file instead of the password', () => {
    const lines = linesOf();
    expect(lines[0]).toBe('[aisec]');
    for (const line of ['host=db.example', 'port=5433', 'user=dba', 'dbname=app', 'application_name=aisec backup'])
      expect(lines).toContain(line);
    expect(lines).toContain('passfile=/private/pgpass');
    expect(lines.join()).not.toContain('s3cret');
  });

  test('carries TLS, options and the time to connect over', () => {
    const lines = linesOf({
      sslMode: 'verify-ca',
      sslRootCert: '/ca.pem',
      options: '-c search_path=app',
      connectTimeoutSeconds: '3',
    });
    for (const line of ['sslmode=verify-ca', 'sslrootcert=/ca.pem', 'options=-c search_path=app', 'connect_timeout=3'])
      expect(lines).toContain(line);
  });

  test('trusts the authorities of the system where the toolkit does', () => {
    expect(linesOf({ sslMode: 'verify-full' })).toContain('sslrootcert=system');
    expect(linesOf({ sslMode: 'require' }).join()).not.toContain('sslrootcert');
  });

  test('adds settings to the options that were given', () => {
    expect(linesOf({ options: '-c a=1' }, { maintenance_work_mem: '1GB', search_path: 'a, b' })).toContain(
      'options=-c a=1 -c maintenance_work_mem=1GB -c search_path=a,\\ b',
    );
  });

  test.each(['a\npassword=x', 'a '])('refuses a value that it cannot hold: %j', (database) => {
    expect(() => linesOf({ database })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: 'the connection parameter dbname cannot be used' }),
    );
  });
});
