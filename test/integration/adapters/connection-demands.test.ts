import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('what is demanded of a connection', () => {
  const status = async (parameters: string, env: Readonly<Record<string, string>> = {}) => {
    const { url } = await createServerDatabase();
    return runInProcess(['migrate', 'status', '--quiet'], { env: { DATABASE_URL: `${url}${parameters}`, ...env } });
  };

  test.each([
    ['?target_session_attrs=standby', {}, 4, 'is not what target_session_attrs=standby asks for'],
    ['', { PGTARGETSESSIONATTRS: 'read-only' }, 4, 'is not what target_session_attrs=read-only asks for'],
    ['?target_session_attrs=master', {}, 2, 'invalid target_session_attrs "master"'],
    ['?sslmode=disable&channel_binding=require', {}, 4, 'channel binding is required, but'],
    ['?sslmode=disable', { PGCHANNELBINDING: 'require' }, 4, 'channel binding is required, but'],
    ['?channel_binding=maybe', {}, 2, 'invalid channel_binding "maybe"'],
    ['?gssencmode=require', {}, 2, 'gssencmode=require'],
    ['', { PGREQUIREAUTH: 'scram-sha-256' }, 4, 'the server let the client in without a password'],
    ['?require_auth=!none', {}, 4, 'the server let the client in without a password'],
    ['', { PGSSLNEGOTIATION: 'direct' }, 2, 'sslmode=prefer is too weak for sslnegotiation=direct'],
    ['', { PGMINPROTOCOLVERSION: '3.2' }, 2, 'min_protocol_version in PGMINPROTOCOLVERSION asks for what aisec cannot'],
    ['?load_balance_hosts=maybe', {}, 2, 'invalid load_balance_hosts "maybe"'],
    ['?requirepeer=postgres', {}, 2, 'requirepeer in DATABASE_URL asks for what aisec cannot do'],
  ] as const)('%s %j is done or refused, never ignored', async (parameters, env, exitCode, message) => {
    const refused = await status(parameters, env);
    expect(refused).toMatchObject({ exitCode });
    expect(refused.stderr).toContain(message);
    expect(refused.stderr).toContain('hint: ');
  });

  test.each([
    '?target_session_attrs=primary',
    '?target_session_attrs=read-write',
    '?channel_binding=prefer&gssencmode=prefer&require_auth=none&target_session_attrs=prefer-standby',
  ])('%s connects to a primary', async (parameters) => {
    expect(await status(parameters)).toMatchObject({ exitCode: 0 });
  });

  test('an unknown key of a service file is refused by name, as libpq does', async () => {
    const { url, name } = await createServerDatabase();
    const { hostname, port, username } = new URL(url);
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'aisec-service-')), 'services');
    const write = (line: string): void =>
      writeFileSync(
        file,
        `# ours\n[own]\nhost=${hostname}\nport=${port}\nuser=${username}\ndbname=${name}\n${line}\n[other]\nnonsense=1\n`,
      );
    const env = { PGSERVICEFILE: file, PGSERVICE: 'own' };
    write('keepalives=1');
    expect(await runInProcess(['migrate', 'status'], { env })).toMatchObject({ exitCode: 0 });
    write('sslmod=require');
    const refused = await runInProcess(['migrate', 'status'], { env });
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain('unknown parameter "sslmod" of service "own"');
    expect(refused.stderr).toContain('Did you mean "sslmode"?');
  });
});
