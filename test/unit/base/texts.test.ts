import { describe, expect, it } from 'vitest';
import { parseBytes } from '../../../src/base/bytes.js';
import { didYouMean } from '../../../src/base/did-you-mean.js';
import { formatDurationMs, parseDurationMs } from '../../../src/base/duration.js';
import { quoteIdentifier, quoteLiteral } from '../../../src/base/identifier.js';
import { redactText } from '../../../src/base/redact.js';

describe('a duration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['2s', 2000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['2 weeks', 1_209_600_000],
  ])('%s is read', (text, durationMs) => expect(parseDurationMs(text)).toBe(durationMs));

  it.each(['', '6', '-1s', '1e3s', 's', '5months', '6mo', '1y', '0x1s'])('"%s" is none', (text) =>
    expect(parseDurationMs(text)).toBeUndefined(),
  );

  it.each([
    [0, '0 ms'],
    [38.4, '38 ms'],
    [1400, '1.4 s'],
    [125_000, '2 min 5 s'],
    [11_400_000, '3 h 10 min'],
  ])('of %s ms is written for people', (durationMs, text) => expect(formatDurationMs(durationMs)).toBe(text));
});

describe('a size', () => {
  it.each([
    ['512', 512],
    ['64kB', 65_536],
    ['1.5 GB', 1.5 * 1024 ** 3],
    ['500GiB', 500 * 1024 ** 3],
    ['2 tib', 2 * 1024 ** 4],
  ])('%s is read, in units of 1024', (text, sizeBytes) => expect(parseBytes(text)).toBe(sizeBytes));

  it.each(['', '500G', '500iB', '500bytesB', '-1kB'])('"%s" is none', (text) =>
    expect(parseBytes(text)).toBeUndefined(),
  );
});

describe('a name that was mistyped', () => {
  const known = ['migrate', 'status', 'verify'];
  it.each([
    ['migrat', 'migrate'],
    ['sttaus', 'status'],
    ['xyzzy', undefined],
  ])('%s suggests %s', (wanted, near) => expect(didYouMean(wanted, known)).toBe(near));
});

describe('SQL text', () => {
  it('quotes names and literals whatever they contain', () => {
    expect(quoteIdentifier('a"b')).toBe('"a""b"');
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral("a\\'b")).toBe(" E'a\\\\''b'");
  });
});

describe('a text for messages', () => {
  it('has no password', () => {
    expect(redactText('x postgres://u:secret@h/db y postgresql://u:secret@h')).not.toContain('secret');
    expect(redactText("host=h password=secret user=u password = 'sec ret'")).not.toMatch(/secret|sec ret/);
  });
});
