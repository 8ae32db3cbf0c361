import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  addToErasureList,
  ERASURE_LIST,
  readErasureList,
} from '../../../../../src/features/backup/erasures/list-file.js';

const record = (digit: string) => ({
  hashKey: 'a'.repeat(64),
  subjectHash: digit.repeat(64),
  startedAt: '2026-11-30T00:00:00.000Z',
  shared: 'refuse' as const,
  anonymise: [],
});

describe('the list of erasures', () => {
  let directory = '';
  let file = '';
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-erasures-'));
    file = path.join(directory, ERASURE_LIST);
    addToErasureList(directory, [record('1')]);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('cut at any byte of its last line it is read, and takes further erasures, that person among them', () => {
    addToErasureList(directory, [record('2')]);
    const whole = readFileSync(file);
    for (let length = whole.indexOf('\n') + 1; length < whole.length; length += 1) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      addToErasureList(directory, [record('3')]);
      addToErasureList(directory, [record('2')]);
      const known = readErasureList(directory)!.map(({ subjectHash }) => subjectHash.slice(0, 1));
      expect({ length, known: known.toSorted() }).toEqual({ length, known: ['1', '2', '3'] });
    }
  });

  test('a damaged line before the last is refused with its number', () => {
    appendFileSync(file, '{"hashKey":\n');
    appendFileSync(file, `${JSON.stringify(record('2'))}\n`);
    expect(() => readErasureList(directory)).toThrow(/^the list of erasures .* is damaged$/);
  });
});
