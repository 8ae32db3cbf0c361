import { describe, expect, test } from 'vitest';

import { copyChunks, copyLine, copyTarget, textArray } from '../../../src/adapters/postgres/copy.js';

describe("COPY's text format", () => {
  test('escapes what would end a field or a row, and nothing else', () => {
    expect(copyLine(['a\tb', 'c\nd', 'e\r\\f', '日本 🎌', ''])).toBe('a\\tb\tc\\nd\te\\r\\\\f\t日本 🎌\t\n');
  });

  test('tells null from the text that looks like it', () => {
    expect(copyLine([null, '\\N', '\\.', 0, false, 1.5])).toBe('\\N\t\\\\N\t\\\\.\t0\tfalse\t1.5\n');
  });

  test('quotes the items of an array', () => {
    expect(textArray(['a', 'b,c', 'd"e\\f', '', 'NULL'])).toBe('{"a","b,c","d\\"e\\\\f","","NULL"}');
  });

  test('quotes the names', () => {
    expect(copyTarget({ schema: 'My "S"', table: 't', columns: ['a', 'order'] })).toBe('"My ""S"""."t" ("a", "order")');
  });

  test('is made chunk by chunk as it is asked for, with no row lost or split', () => {
    let made = 0;
    function* rows(): Generator<readonly [number, string]> {
      for (; made < 5000; made += 1) yield [made, 'あ'.repeat(100)];
    }
    const chunks = copyChunks(rows());
    const first = chunks.next();
    expect(made).toBeLessThan(1000);
    const all = [first.value, ...chunks].filter((chunk) => chunk !== undefined);
    expect(all.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(5000);
    for (const { bytes, rows: count } of all) expect(bytes.toString().split('\n').length - 1).toBe(count);
    expect([...copyChunks([])]).toEqual([]);
  });
});
