import { describe, expect, test } from 'vitest';

import { readHead, UnknownArchive } from '../../../../src/adapters/pgtools/archive/contents.js';
import { FieldReader, Truncated, writeInt } from '../../../../src/adapters/pgtools/archive/fields.js';

function head(change: Readonly<Record<number, number>> = {}): Buffer {
  const bytes = Buffer.from([...Buffer.from('PGDMP'), 1, 16, 0, 4, 8, 3, 3]);
  for (const [at, value] of Object.entries(change)) bytes[Number(at)] = value;
  return bytes;
}

describe('an archive of pg_dump', () => {
  test.each([
    [0, [0, 0, 0, 0, 0]],
    [1, [0, 1, 0, 0, 0]],
    [65_537, [0, 1, 0, 1, 0]],
    // Object ids beyond 2^31 are negative where a C program has them in an int.
    [2_147_483_648, [1, 0, 0, 0, 0x80]],
    [3_000_000_000, [1, 0, 0xa2, 0x2f, 0x4d]],
    [4_294_967_295, [1, 1, 0, 0, 0]],
  ])('has %i as a sign and four bytes', (value, expected) => {
    const bytes = Buffer.alloc(5);
    expect(writeInt(bytes, 0, value)).toBe(5);
    expect([...bytes]).toEqual(expected);
    expect(new FieldReader(bytes, 0).int() >>> 0).toBe(value);
  });

  test('has no text, an empty one, or one, and what is cut off is known as such', () => {
    const bytes = Buffer.from([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0xc3, 0xa4]);
    const fields = new FieldReader(bytes, 0);
    expect([fields.text(), fields.text(), fields.text(), fields.position]).toEqual([null, '', 'ä', bytes.length]);
    for (let end = 0; end < bytes.length; end += 1) {
      const cut = new FieldReader(bytes.subarray(0, end), 0);
      expect(() => [cut.text(), cut.text(), cut.text()]).toThrow(Truncated);
    }
  });

  test('is packed when it is of PostgreSQL 16 or newer and not compressed by gzip', () => {
    expect(readHead(head())).toMatchObject({ minor: 16, compression: { suffix: '.zst' } });
    expect(readHead(head({ 6: 15, 11: 2 }))).toMatchObject({ minor: 15, compression: { suffix: '.lz4' } });
    expect(readHead(head({ 11: 0 }))).toMatchObject({ minor: 16, compression: { suffix: '' } });
  });

  test.each([
    [{ 0: 65 }, 'does not begin like an archive'],
    [{ 5: 2 }, 'version 2.16, expected 1.15 or 1.16'],
    [{ 6: 14 }, 'version 1.14'],
    [{ 6: 17 }, 'version 1.17'],
    [{ 8: 8 }, 'not that of a directory archive of this machine'],
    [{ 9: 4 }, 'not that of a directory archive of this machine'],
    [{ 10: 1 }, 'not that of a directory archive of this machine'],
    [{ 11: 1 }, 'compressed by method 1'],
    [{ 11: 4 }, 'compressed by method 4'],
  ])('is not taken for a known one with %o', (change, detail) => {
    expect(() => readHead(head(change))).toThrow(UnknownArchive);
    expect(() => readHead(head(change))).toThrow(
      expect.objectContaining({ detail: expect.stringContaining(detail) }) as Error,
    );
  });
});
