import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/config/config.js';
import { resolveDatabaseTarget, serversOf, type DatabaseTarget } from '../../../src/config/database-target.js';
import { loadEnvironment } from '../../../src/config/environment.js';
import type { Environment, Flags } from '../../../src/config/settings.js';

const cwd = mkdtempSync(path.join(tmpdir(), 'aisec-test-target-'));
afterAll(() => rmSync(cwd, { recursive: true }));
beforeEach(() => writeFileSync(path.join(cwd, '.env'), ''));

function resolve(environment: Environment, flags: Flags = {}, dotEnv = ''): DatabaseTarget {
  writeFileSync(path.join(cwd, '.env'), dotEnv);
  const { variables, emptyAddresses } = loadEnvironment({ HOME: cwd, ...environment }, cwd);
  return resolveDatabaseTarget(resolveConfig(flags, variables, cwd, emptyAddresses));
}

/** `user@host:port/database`, or `embedded`. */
function placeOf(target: DatabaseTarget): string {
  if (target.kind === 'embedded') return 'embedded';
  const { user, host, port, database } = target.connection;
  return `${user}@${host}:${port}/${database}`;
}

describe('which database', () => {
  it('is the embedded one when nothing names a server', () => {
    expect(resolve({})).toEqual({ kind: 'embedded', dataDir: path.join(cwd, '.aisec/pgdata') });
  });

  it('is taken from the flag, then the file, then DATABASE_URL, then the variables of libpq', () => {
    writeFileSync(path.join(cwd, 'url'), 'postgres://u@file/db\nsecond line\n');
    const libpq = { PGHOST: 'libpq', PGUSER: 'u', PGDATABASE: 'db' };
    const url = { ...libpq, DATABASE_URL: 'postgres://u@url/db' };
    expect(placeOf(resolve(libpq))).toBe('u@libpq:5432/db');
    expect(placeOf(resolve(url))).toBe('u@url:5432/db');
    expect(placeOf(resolve({ ...url, AISEC_DATABASE_URL_FILE: 'url' }))).toBe('u@file:5432/db');
    expect(placeOf(resolve(url, { databaseUrlFile: 'url' }))).toBe('u@file:5432/db');
    expect(placeOf(resolve(url, { databaseUrl: 'postgres://u@flag/db' }))).toBe('u@flag:5432/db');
  });

  it('is the one of the environment, whatever the .env file names', () => {
    const file = 'DATABASE_URL=postgres://u@production/db\nPGPORT=6000\nPGPASSWORD=from-file\n';
    expect(placeOf(resolve({}, {}, file))).toBe('u@production:6000/db');
    expect(placeOf(resolve({ PGHOST: 'staging', PGUSER: 'me', PGDATABASE: 'x' }, {}, file))).toBe('me@staging:6000/x');
    expect(placeOf(resolve({ DATABASE_URL: 'postgres://me@staging/x' }, {}, file))).toBe('me@staging:5432/x');
    const target = resolve({ DATABASE_URL: 'postgres://me@staging/x' }, {}, file);
    expect(target).toMatchObject({ connection: { password: 'from-file' } });
  });

  it('takes each variable of libpq from the environment before the .env file', () => {
    const file = 'PGHOST=file\nPGUSER=file\nPGDATABASE=file\n';
    expect(placeOf(resolve({ PGDATABASE: 'own' }, {}, file))).toBe('file@file:5432/own');
  });

  it('fills what a URL leaves open from the variables of libpq, as psql does', () => {
    const environment = { DATABASE_URL: 'postgres://h/', PGUSER: 'u', PGDATABASE: 'db', PGOPTIONS: '-c role=app' };
    const target = resolve(environment);
    expect(placeOf(target)).toBe('u@h:5432/db');
    expect(target).toMatchObject({ connection: { options: '-c role=app' } });
  });

  it('takes lists of hosts, ports and addresses as libpq does, each with its own password', () => {
    const file = path.join(cwd, 'lists.pgpass');
    writeFileSync(file, 'b:5433:*:*:of-b\n', { mode: 0o600 });
    const several = resolve({ PGHOST: 'a,b', PGPORT: '5432,5433', PGUSER: 'u', PGPASSFILE: file });
    if (several.kind === 'embedded') throw new Error('a server was named');
    const found = serversOf(several).map(({ connection: { host, port, password } }) => [host, port, password]);
    expect(found).toEqual([
      ['a', '5432', undefined],
      ['b', '5433', 'of-b'],
    ]);
    expect(several.connection).toMatchObject({ host: 'a', port: '5432' });
    expect(several.connection.password).toBeUndefined();
    const [, second] = serversOf(several);
    expect(second?.servers).toBeUndefined();

    const onePort = resolve({ DATABASE_URL: 'postgres://u:pw@/?host=a,b&port=6000&hostaddr=10.0.0.1,10.0.0.2' });
    if (onePort.kind === 'embedded') throw new Error('a server was named');
    expect(serversOf(onePort).map(({ connection }) => connection)).toMatchObject([
      { host: 'a', hostAddress: '10.0.0.1', port: '6000', password: 'pw' },
      { host: 'b', hostAddress: '10.0.0.2', port: '6000', password: 'pw' },
    ]);
    // An entry without a port is 5432, whatever PGPORT says: psql does the same.
    const left = resolve({ DATABASE_URL: 'postgres://u@a,b:6000/', PGPORT: '7000' });
    if (left.kind === 'embedded') throw new Error('a server was named');
    expect(serversOf(left).map(({ connection: { port } }) => port)).toEqual(['5432', '6000']);
  });

  it('reads a service: the URL wins over it, and it wins over the variables', () => {
    const file = path.join(cwd, 'services');
    writeFileSync(
      file,
      '[other]\nhost=no\n[app]\n# a comment\nhost=svc\nport = 6001\nuser=su\ndbname=sdb\npassword=pw\n',
    );
    const environment = { PGSERVICEFILE: file, PGSERVICE: 'app', PGPORT: '1' };
    expect(placeOf(resolve(environment))).toBe('su@svc:6001/sdb');
    expect(placeOf(resolve({ ...environment, DATABASE_URL: 'postgres://me@/' }))).toBe('me@svc:6001/sdb');
    expect(() => resolve({ ...environment, PGSERVICE: 'nope' })).toThrow('definition of service "nope" not found');
  });

  it('names the service file next to HOME and the one of the system when a service is unknown', () => {
    expect(() => resolve({ PGSERVICE: 'nope', PGSYSCONFDIR: '/nowhere' })).toThrow(
      expect.objectContaining({ detail: `Looked in ${cwd}/.pg_service.conf and /nowhere/pg_service.conf.` }),
    );
  });

  it('never is the embedded one in production', () => {
    expect(() => resolve({ AISEC_ENV: 'production' })).toThrow(expect.objectContaining({ code: 'REFUSED' }));
    expect(() => resolve({ AISEC_ENV: ' Production ' })).toThrow(expect.objectContaining({ code: 'REFUSED' }));
    expect(placeOf(resolve({ AISEC_ENV: 'production', DATABASE_URL: 'postgres://u@h/d' }))).toBe('u@h:5432/d');
  });

  it.each(['prod', 'produktion', 'PROD'])('does not guess what AISEC_ENV=%s means', (value) => {
    expect(() => resolve({ AISEC_ENV: value })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it.each(['', 'development', 'test', 'staging'])('takes AISEC_ENV=%s as not production', (value) => {
    expect(placeOf(resolve({ AISEC_ENV: value }))).toBe('embedded');
  });

  it.each([
    ['a password in the flag', {}, { databaseUrl: 'postgres://u:pw@h/d' }, 'carries a password'],
    ['a password parameter in the flag', {}, { databaseUrl: 'postgres://u@h/d?password=pw' }, 'carries a password'],
    ['both flags', {}, { databaseUrl: 'postgres://u@h/d', databaseUrlFile: 'x' }, 'cannot be used together'],
    ['an empty flag', {}, { databaseUrl: '' }, '--database-url is empty'],
    ['a missing URL file', {}, { databaseUrlFile: 'missing' }, 'could not read the database URL file'],
    ['an empty URL file', {}, { databaseUrlFile: '.env' }, 'is empty'],
    ['a port that is not a number', { PGHOST: 'h', PGPORT: 'x' }, {}, 'invalid port "x" in PGPORT'],
    ['a port out of range', { PGHOST: 'h', PGPORT: '65536' }, {}, 'invalid port "65536"'],
    ['a connect timeout that is not a number', { PGHOST: 'h', PGCONNECT_TIMEOUT: '2s' }, {}, 'invalid connect timeout'],
    ['more ports than hosts', { PGHOST: 'a,b', PGPORT: '1,2,3' }, {}, '3 ports do not match the 2 hosts'],
    [
      'more addresses than hosts',
      { PGHOST: 'a,b', PGHOSTADDR: '10.0.0.1' },
      {},
      '1 addresses do not match the 2 hosts',
    ],
    ['a name as an address', { PGHOSTADDR: 'a' }, {}, 'invalid address "a"'],
    ['a bad port of a list', { PGHOST: 'a,b', PGPORT: '1,x' }, {}, 'invalid port "x"'],
    [
      'a weak mode beside the authorities of the system',
      { PGHOST: 'a', PGSSLROOTCERT: 'system', PGSSLMODE: 'require' },
      {},
      'too weak for sslrootcert=system',
    ],
    [
      'a peer that cannot be required',
      { PGHOST: 'a', PGREQUIREPEER: 'pg' },
      {},
      'requirepeer in PGREQUIREPEER asks for what aisec cannot do',
    ],
    ['an unknown way to log in', { PGHOST: 'a', PGREQUIREAUTH: 'md5,magic' }, {}, 'invalid require_auth "md5,magic"'],
    ['ways to log in that are wanted and not', { PGHOST: 'a', PGREQUIREAUTH: 'md5,!none' }, {}, 'invalid require_auth'],
    [
      'TLS from above to below',
      { PGHOST: 'a', PGSSLMINPROTOCOLVERSION: 'TLSv1.3', PGSSLMAXPROTOCOLVERSION: 'TLSv1.2' },
      {},
      'is above ssl_max_protocol_version',
    ],
    ['a schema with a reserved name', {}, { schema: 'pg_x' }, 'cannot be used as the schema'],
    ['a schema name that PostgreSQL would cut', {}, { schema: 'é'.repeat(32) }, 'cannot be used as the schema'],
  ])('refuses %s', (_title, environment, flags, message) => {
    expect(() => resolve({ PGUSER: 'u', ...environment }, flags)).toThrow(message);
  });
});
