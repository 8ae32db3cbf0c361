import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPassword } from '../../../src/config/connection/password-file.js';

const home = mkdtempSync(path.join(tmpdir(), 'aisec-test-pgpass-'));
afterAll(() => rmSync(home, { recursive: true }));

function write(text: string, mode = 0o600): string {
  const file = path.join(home, '.pgpass');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const request = { host: 'db', port: '5432', database: 'app', user: 'me' };

describe('the password file', () => {
  it.each([
    ['db:5432:app:me:secret\n', 'secret'],
    ['# db:5432:app:me:no\n*:*:*:*:any\n', 'any'],
    ['db:5432:app:other:no\r\ndb:5432:*:me:first\r\ndb:5432:app:me:second\r\n', 'first'],
    ['db:5432:app:me:a\\:b\\\\c:d', 'a:b\\c:d'],
    ['db:5433:app:me:no\n', undefined],
    ['db:5432:app:me\n', undefined],
    ['', undefined],
  ])('%j gives %j', (text, password) => {
    write(text);
    expect(findPassword(request, { HOME: home })).toEqual(password === undefined ? {} : { password });
  });

  it('looks a local socket up as localhost', () => {
    write('localhost:5432:app:me:socket\n');
    expect(findPassword({ ...request, host: '/var/run/postgresql' }, { HOME: home })).toEqual({ password: 'socket' });
  });

  it('may be another file: the parameter, then PGPASSFILE', () => {
    const file = path.join(home, 'other');
    writeFileSync(file, '*:*:*:*:other', { mode: 0o600 });
    write('*:*:*:*:home');
    expect(findPassword(request, { HOME: home, PGPASSFILE: file })).toEqual({ password: 'other' });
    expect(findPassword({ ...request, passFile: file }, { HOME: home })).toEqual({ password: 'other' });
  });

  it.each([0o640, 0o604, 0o644])('is not used with mode %o, and says so', (mode) => {
    const file = write('*:*:*:*:secret\n', mode);
    const found = findPassword(request, { HOME: home });
    expect(found.password).toBeUndefined();
    expect(found.problem).toContain(`chmod 600 ${file}`);
  });

  it('is not used when it is a directory, and says so', () => {
    const directory = path.join(home, 'directory');
    mkdirSync(directory);
    expect(findPassword(request, { PGPASSFILE: directory }).problem).toContain('not a plain file');
  });
});
