import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { sql } from 'kysely';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import { createDatabase, poolStats, withUser } from '../../../src/index.js';
import { describeOnPrivateServer, startPrivateServer } from '../../support/private-server.js';
import { runInProcess } from '../../support/run-in-process.js';
import { createAuthority, serveTls, type Authority } from '../../support/tls-certificates.js';
import { waitFor } from '../../support/wait-for.js';

type Env = Readonly<Record<string, string>>;

/** psql is the oracle: what it refuses must be refused here. */
async function psqlConnects(url: string, env: Env): Promise<boolean> {
  const variables = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', ...env };
  return new Promise((resolve) => {
    execFile('psql', ['-XAtwc', 'select 1', url], { env: variables }, (error) => resolve(error === null));
  });
}

/** By its code in the protocol; a hello of TLS is none of these. */
function firstMessage(bytes: Buffer): string {
  const codes: Readonly<Record<number, string>> = { 80_877_102: 'cancel', 80_877_103: 'TLS?', 196_608: 'login' };
  return codes[bytes.readInt32BE(4)] ?? 'TLS';
}

/** A port that leads to another one, and shows how each connection begins. */
async function startRelay(
  to: number,
  onFirst: (bytes: Buffer) => void,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((incoming) => {
    const outgoing = connectTo(to, '127.0.0.1');
    incoming.once('data', onFirst);
    incoming.pipe(outgoing).pipe(incoming);
    for (const socket of [incoming, outgoing]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describeOnPrivateServer('a connection over TLS', () => {
  let authority: Authority;
  let other: Authority;
  let superuser = '';
  let port = '';
  const emptyHome = mkdtempSync(path.join(tmpdir(), 'aisec-test-home-'));

  const urlOf = (parameters: string, user = 'postgres', host = 'db.test'): string =>
    `postgres://${user}:secret@/postgres?host=${host}&hostaddr=127.0.0.1&port=${port}${parameters
      .replaceAll('CA', authority.file('ca.crt'))
      .replaceAll('OTHER', other.file('ca.crt'))
      .replaceAll('CRL', authority.file('ca.crl'))}`;
  const cert = (name: string): string =>
    `&sslcert=${authority.file(`${name}.crt`)}&sslkey=${authority.file(`${name}.key`)}`;
  /** What aisec says, after psql was asked whether it connects: it must be of the same mind. */
  const connect = async (url: string, env: Env = {}) => {
    const variables = { HOME: emptyHome, ...env };
    const [expected, run] = await Promise.all([
      psqlConnects(url, variables),
      runInProcess(['migrate', 'status', '--quiet'], { env: { DATABASE_URL: url, ...variables } }),
    ]);
    expect({ url, psql: expected, stderr: run.stderr }).toMatchObject({ psql: run.exitCode === 0 });
    expect(run.stderr).not.toContain('secret');
    return run;
  };

  beforeAll(async () => {
    authority = createAuthority();
    other = createAuthority();
    authority.sign('server', 'db.test');
    authority.sign('expired', 'db.test', -1);
    authority.sign('by_cert', 'by_cert');
    const server = await startPrivateServer({ fsync: 'off' });
    superuser = server.url;
    ({ port } = new URL(superuser));
    await serveTls(superuser, authority, 'server');
    const client = new pg.Client({ connectionString: superuser });
    await client.connect();
    await client.query(
      "create role by_scram login password 'secret'; create role by_cert login superuser; create role plain_only login; create role authenticated nologin",
    );
    const rules = [
      'hostssl all by_scram 127.0.0.1/32 scram-sha-256',
      'host all by_scram 127.0.0.1/32 password',
      'hostssl all by_cert 127.0.0.1/32 cert',
      'hostssl all plain_only 127.0.0.1/32 cert',
      'hostnossl all plain_only 127.0.0.1/32 trust',
      'host all postgres 127.0.0.1/32 trust',
    ];
    const text = Buffer.from(`${rules.join('\n')}\n`).toString('base64');
    await client.query(`copy (select '${text}') to program 'base64 -d > pg_hba.conf'; select pg_reload_conf()`);
    await client.end();
    await waitFor(async () => psqlConnects(urlOf('&sslmode=require', 'by_scram'), {}));
  });

  test.each([
    ['&sslmode=verify-full&sslrootcert=CA', 0, ''],
    ['&sslmode=verify-ca&sslrootcert=CA', 0, ''],
    ['&sslmode=verify-full&sslrootcert=OTHER', 4, 'could not make an encrypted connection'],
    ['&sslmode=verify-ca&sslrootcert=OTHER', 4, 'could not make an encrypted connection'],
    // With authorities `require` is verify-ca, as in libpq.
    ['&sslmode=require&sslrootcert=OTHER', 4, 'could not make an encrypted connection'],
    ['&sslmode=prefer&sslrootcert=OTHER', 0, ''],
    ['&sslmode=require', 0, ''],
    ['&sslmode=verify-full&sslrootcert=/nowhere', 2, 'could not read the certificate file'],
    ['&sslmode=require&sslnegotiation=direct', 0, ''],
    ['&sslmode=allow&sslnegotiation=direct', 2, 'too weak for sslnegotiation=direct'],
    ['&sslmode=require&ssl_min_protocol_version=TLSv1.3', 0, ''],
    ['&sslmode=require&ssl_min_protocol_version=TLSv9', 2, 'invalid ssl_min_protocol_version'],
    ['&sslmode=require&sslsni=0', 2, 'sslsni in DATABASE_URL'],
    ['&sslmode=require&channel_binding=require', 4, 'the server let the client in without it'],
    ['&sslmode=require&require_auth=scram-sha-256', 4, 'let the client in without a password'],
  ])('%s on a trusted login', async (parameters, exitCode, message) => {
    // psql could do without the server's name in the hello of TLS.
    const run = parameters.includes('sslsni')
      ? await runInProcess(['migrate', 'status'], { env: { DATABASE_URL: urlOf(parameters) } })
      : await connect(urlOf(parameters));
    expect(run).toMatchObject({ exitCode });
    expect(run.stderr).toContain(message);
  });

  test('sslmode=prefer goes on without TLS where the rules of TLS refuse the login, whatever the server says of it', async () => {
    expect(await connect(urlOf('&sslmode=prefer', 'plain_only'))).toMatchObject({ exitCode: 0 });
    expect(await connect(urlOf('&sslmode=require', 'plain_only'))).toMatchObject({ exitCode: 4 });
  });

  test('compares the name of the host, not the address that hostaddr gives', async () => {
    const wrong = urlOf('&sslmode=verify-full&sslrootcert=CA', 'postgres', 'wrong.test');
    expect(await connect(wrong)).toMatchObject({ exitCode: 4 });
    expect(await connect(urlOf('&sslmode=verify-ca&sslrootcert=CA', 'postgres', 'wrong.test'))).toMatchObject({
      exitCode: 0,
    });
    const service = createDatabase({ url: urlOf('&sslmode=verify-full&sslrootcert=CA'), poolSize: 1 });
    expect(
      (await sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(service)).rows,
    ).toEqual([{ ssl: true }]);
    await service.destroy();
    const deceived = createDatabase({ url: wrong, poolSize: 1 });
    await expect(sql`select 1`.execute(deceived)).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await deceived.destroy();
  });

  test.each([
    ['&sslmode=require&channel_binding=require', 0, ''],
    ['&sslmode=require&channel_binding=disable', 0, ''],
    ['&sslmode=disable&channel_binding=require', 4, 'the server asks for the password itself'],
    ['&sslmode=require&require_auth=scram-sha-256', 0, ''],
    ['&sslmode=disable&require_auth=scram-sha-256', 4, 'the server asks for password'],
    ['&sslmode=disable&require_auth=!password,!md5', 4, 'the server asks for password'],
    ['&sslmode=disable&require_auth=password', 0, ''],
    ['&sslmode=require&require_auth=md5,password', 4, 'the server asks for scram-sha-256'],
  ])('%s on a login with a password', async (parameters, exitCode, message) => {
    const run = await connect(urlOf(parameters, 'by_scram'));
    expect(run).toMatchObject({ exitCode });
    expect(run.stderr).toContain(message);
  });

  test('a pool binds its logins, too', async () => {
    const bound = createDatabase({ url: urlOf('&sslmode=require&channel_binding=require', 'by_scram'), poolSize: 1 });
    expect((await sql<{ one: number }>`select 1 as one`.execute(bound)).rows).toEqual([{ one: 1 }]);
    await bound.destroy();
    const open = createDatabase({ url: urlOf('&sslmode=require&channel_binding=require'), poolSize: 1 });
    await expect(sql`select 1`.execute(open)).rejects.toMatchObject({ code: 'DATABASE_AUTH' });
    await open.destroy();
  });

  test.each([
    ['&sslmode=verify-full&sslrootcert=CA', 'postgres'],
    ['&sslmode=require&sslnegotiation=direct', 'postgres'],
    ['&sslmode=verify-full&sslrootcert=CA', 'by_cert'],
  ])('%s of %s: a signal cancels the statement of withUser, encrypted as its connection', async (parameters, user) => {
    const first: string[] = [];
    const relay = await startRelay(Number(port), (bytes) => first.push(firstMessage(bytes)));
    const files = user === 'by_cert' ? cert(user) : '';
    const url = urlOf(`${parameters}${files}`, user).replace(`port=${port}`, `port=${relay.port}`);
    const db = createDatabase({ url, poolSize: 1, maxOverflow: 0 });
    const admin = new pg.Client({ connectionString: superuser });
    await admin.connect();
    const marker = `select pg_sleep(${30 + Math.random()})`;
    const running = async (): Promise<number> =>
      (await admin.query(`select from pg_stat_activity where state = 'active' and query = $1`, [marker])).rowCount ?? 0;
    const controller = new AbortController();
    const reason = new Error('the caller went away');
    const user1 = '10000000-0000-4000-8000-000000000001';
    const run = withUser(db, user1, (trx) => sql.raw(marker).execute(trx), { signal: controller.signal });
    const outcome = run.catch((error: unknown) => error);
    await waitFor(async () => (await running()) === 1);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    expect(await running()).toBe(0);
    expect(poolStats(db)).toMatchObject({ total: 1, idle: 1 });
    // The connection, and a cancel or two: none of them in the clear.
    expect(first.length).toBeGreaterThan(1);
    expect(new Set(first)).not.toContain('cancel');
    expect(new Set(first)).not.toContain('login');
    await db.destroy();
    await admin.end();
    relay.close();
  });

  test('a client certificate lets its user in, and its key must be private', async () => {
    const good = urlOf(`&sslmode=verify-full&sslrootcert=CA${cert('by_cert')}`, 'by_cert');
    expect(await connect(good)).toMatchObject({ exitCode: 0 });
    expect(await connect(urlOf('&sslmode=require', 'by_cert'))).toMatchObject({ exitCode: 4 });
    expect(await connect(`${good}&sslcertmode=disable`)).toMatchObject({ exitCode: 4 });
    // pg_dump gets the same files and the same address.
    const directory = path.join(emptyHome, 'backups');
    const backup = await runInProcess(['backup', '--dir', directory], { env: { DATABASE_URL: good, HOME: emptyHome } });
    expect(backup).toMatchObject({ exitCode: 0 });

    // From ~/.postgresql, as psql takes them.
    const home = mkdtempSync(path.join(tmpdir(), 'aisec-test-home-'));
    mkdirSync(path.join(home, '.postgresql'));
    const own = (name: string): string => path.join(home, '.postgresql', name);
    copyFileSync(authority.file('by_cert.crt'), own('postgresql.crt'));
    copyFileSync(authority.file('by_cert.key'), own('postgresql.key'));
    copyFileSync(other.file('ca.crt'), own('root.crt'));
    const distrusted = await connect(urlOf('&sslmode=require', 'by_cert'), { HOME: home });
    expect(distrusted).toMatchObject({ exitCode: 4 });
    copyFileSync(authority.file('ca.crt'), own('root.crt'));
    expect(await connect(urlOf('&sslmode=require', 'by_cert'), { HOME: home })).toMatchObject({ exitCode: 0 });

    chmodSync(authority.file('by_cert.key'), 0o644);
    const open = await connect(good);
    expect(open).toMatchObject({ exitCode: 2 });
    expect(open.stderr).toContain('can be read by others, so it was not used');
    expect(open.stderr).toContain('hint: chmod 600');
  });

  test('a certificate that is revoked or out of date is refused', async () => {
    authority.revoke('expired');
    expect(await connect(urlOf('&sslmode=verify-ca&sslrootcert=CA&sslcrl=CRL'))).toMatchObject({ exitCode: 0 });
    authority.revoke('server');
    expect(await connect(urlOf('&sslmode=verify-ca&sslrootcert=CA&sslcrl=CRL'))).toMatchObject({ exitCode: 4 });
    await serveTls(superuser, authority, 'expired');
    await waitFor(async () => !(await psqlConnects(urlOf('&sslmode=verify-ca&sslrootcert=CA'), {})));
    expect(await connect(urlOf('&sslmode=verify-full&sslrootcert=CA'))).toMatchObject({ exitCode: 4 });
    expect(await connect(urlOf('&sslmode=require'))).toMatchObject({ exitCode: 0 });
  });
});
