import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { decryptFile, readIdentities } from '../../../src/adapters/encryption/decrypt.js';
import { encryptFile } from '../../../src/adapters/encryption/encrypt.js';
import { checkRecipients, readRecipients } from '../../../src/adapters/encryption/recipients.js';
import { checksumOf } from '../../../src/adapters/files/checksum.js';
import { describeWithStore } from '../../support/object-store.js';

const signal = new AbortController().signal;
const onBytes = (): void => undefined;

describeWithStore('an encrypted file', () => {
  let directory = '';
  let plain = '';
  const at = (name: string): string => path.join(directory, name);
  const recipients: string[] = [];

  /** As its user makes it. Returns the public key. */
  function keygen(file: string): string {
    execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' });
    return execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim();
  }
  const identitiesOf = (name: string): { identities: readonly string[]; signal: AbortSignal } => ({
    identities: readIdentities(at(name)),
    signal,
  });

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    plain = at('plain');
    // Not a multiple of the 64 KiB that age seals at once.
    writeFileSync(plain, randomBytes(3_000_001));
    recipients.push(keygen(at('key1')), keygen(at('key2')));
    keygen(at('stranger'));
    await encryptFile(plain, at('good.age'), { recipients, signal, onBytes });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each([0, 1, 65_536, 3_000_001])('of %i bytes opens with the age of Debian, with each key', async (sizeBytes) => {
    const [source, target] = [at(`${sizeBytes}`), at(`${sizeBytes}.age`)];
    writeFileSync(source, readFileSync(plain).subarray(0, sizeBytes));
    const checksum = await encryptFile(source, target, { recipients, signal, onBytes });
    expect(checksum).toEqual(await checksumOf(target, signal));
    expect(statSync(target).mode & 0o777).toBe(0o600);
    for (const key of ['key1', 'key2']) {
      const opened = execFileSync('age', ['-d', '-i', at(key), target], { maxBuffer: 8_000_000 });
      expect(opened.equals(readFileSync(source))).toBe(true);
    }
  });

  test('of the age of Debian opens here, and a key that does not fit is told', async () => {
    const file = at('theirs.age');
    execFileSync('age', ['-r', recipients[1] ?? '', '-o', file, plain]);
    await decryptFile(file, at('opened'), identitiesOf('key2'));
    expect(readFileSync(at('opened')).equals(readFileSync(plain))).toBe(true);
    expect(statSync(at('opened')).mode & 0o777).toBe(0o600);
    await expect(decryptFile(file, at('none'), identitiesOf('stranger'))).rejects.toMatchObject({
      code: 'ENCRYPTION_KEY',
    });
    expect(existsSync(at('none'))).toBe(false);
  });

  test('with a flipped byte anywhere, or cut off, is found and leaves nothing', async () => {
    const whole = readFileSync(at('good.age'));
    const places = [0, 60, 200, 400, 70_000, whole.length - 1];
    for (const place of places) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
      writeFileSync(at('bad.age'), bytes);
      await expect(decryptFile(at('bad.age'), at('none'), identitiesOf('key1'))).rejects.toMatchObject({
        code: expect.stringMatching(/^(BACKUP_INVALID|ENCRYPTION_KEY)$/),
      });
    }
    // Whole sealed pieces, so that only the mark of the last one is missing.
    const head = whole.length - 3_000_001 - 46 * 16;
    writeFileSync(at('bad.age'), whole.subarray(0, head + 3 * 65_552));
    await expect(decryptFile(at('bad.age'), at('none'), identitiesOf('key1'))).rejects.toMatchObject({
      code: 'BACKUP_INVALID',
    });
    expect(existsSync(at('none'))).toBe(false);
  });

  test('that is stopped half-way is not there, and one that was there is not touched', async () => {
    const stopped = new AbortController();
    const options = { recipients, signal: stopped.signal, onBytes: () => stopped.abort('SIGTERM') };
    await expect(encryptFile(plain, at('stopped.age'), options)).rejects.toMatchObject({ code: 'TERMINATED' });
    const before = readFileSync(at('good.age'));
    await expect(encryptFile(plain, at('good.age'), { recipients, signal, onBytes })).rejects.toMatchObject({
      code: 'EEXIST',
    });
    await expect(decryptFile(at('good.age'), plain, identitiesOf('key1'))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(at('good.age')).equals(before)).toBe(true);
    expect(readdirSync(directory).filter((name) => name.startsWith('stopped'))).toEqual([]);
  });

  test('a file of recipients is read as age reads it: many, with comments and empty lines', () => {
    writeFileSync(at('recipients'), `# operations\n${recipients[0]}\n\n${recipients[1]}\n#${recipients[0]}x\n`);
    expect(readRecipients(at('recipients'))).toEqual(recipients);
    execFileSync('age', ['-R', at('recipients'), '-o', at('by-age.age'), plain]);
    expect(statSync(at('by-age.age')).size).toBeGreaterThan(0);
  });

  test.each([
    ['# nothing\n', 'has no key to encrypt to'],
    ['\n#\nssh-ed25519 AAAA\n', 'has no X25519 key of age in line 3'],
    ['age1short\n', 'has no X25519 key of age in line 1'],
  ])('a file of recipients with %j is refused with the line', (text, message) => {
    writeFileSync(at('wrong'), text);
    expect(() => readRecipients(at('wrong'))).toThrow(message);
  });

  test('a secret key in a file of recipients is refused and never shown', () => {
    let text = '';
    try {
      readRecipients(at('key1'));
    } catch (error) {
      text = JSON.stringify(error) + String(error);
    }
    expect(text).toContain('has a secret key in line');
    expect(text).not.toContain(readIdentities(at('key1'))[0]);
  });
});

describe('keys', () => {
  const good = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

  test('to encrypt to are checked, each is taken once', async () => {
    expect(await checkRecipients([good, ` ${good}`])).toEqual([good]);
  });

  test.each([
    ['', 'empty'],
    [`${good.slice(0, -1)}q`, 'cannot be encrypted to'],
    ['age1abc', 'cannot be encrypted to'],
    ['ssh-ed25519 AAAA', 'cannot be encrypted to'],
  ])('"%s" is refused', async (text, message) => {
    await expect(checkRecipients([good, text])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(message),
    });
  });

  test('that are secret are refused as public ones without being shown', async () => {
    const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
    const error: unknown = await checkRecipients([secret]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('secret key') });
    expect(JSON.stringify(error) + String(error)).not.toContain('QQQQ');
  });

  test('in a file that others can read, is encrypted or holds something else are refused', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    try {
      const file = path.join(directory, 'key');
      const write = (text: string): string => {
        writeFileSync(file, text, { mode: 0o600 });
        return file;
      };
      const key = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
      expect(readIdentities(write(`# public key: age1…\n${key}\n`))).toEqual([key]);
      expect(() => readIdentities(write('age-encryption.org/v1\n-> scrypt'))).toThrow(/is not a file of secret keys/);
      expect(() => readIdentities(write('# nothing\n'))).toThrow(/is not a file of secret keys/);
      chmodSync(write(key), 0o644);
      expect(() => readIdentities(file)).toThrow(/can be read by others/);
      expect(() => readIdentities(path.join(directory, 'none'))).toThrow(/could not read/);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
