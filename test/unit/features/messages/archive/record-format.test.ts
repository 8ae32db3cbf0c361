import { describe, expect, test } from 'vitest';

import {
  csvRecord,
  csvValues,
  RecordSplitter,
  withoutParent,
} from '../../../../../src/features/messages/archive/exports/record-format.js';

const VALUES = ['a', '', null, 'x,y', 'say "hi"', 'two\nlines', 'cr\rlf\r\n', ' spaces ', '日本語', null];

describe('a CSV record', () => {
  test('keeps null and the empty text apart, as COPY does', () => {
    expect(csvRecord(['', null, 'a'])).toBe('"",,a');
  });

  test('comes back as the values it was made of', () => {
    expect(csvValues(csvRecord(VALUES))).toEqual(VALUES);
    expect(csvValues(csvRecord([null, null]))).toEqual([null, null]);
    expect(csvValues(csvRecord(['only']))).toEqual(['only']);
  });
});

test('a CSV record with a text of 20 million characters comes back as its values', () => {
  const values = ['a', 'say "hi", then go on to the end of the line\n'.repeat(450_000), null];
  const found = csvValues(csvRecord(values));
  expect(found.map((value) => value?.length)).toEqual(values.map((value) => value?.length));
  expect(found[1] === values[1]).toBe(true);
});

describe('a file cut into records', () => {
  const records = [csvRecord(VALUES), csvRecord(['b', '"\n"', null]), csvRecord([null])];

  test.each([1, 2, 3, 7, 1000])('gives the same CSV records in pieces of %i characters', (size) => {
    const text = records.map((record) => `${record}\n`).join('');
    const splitter = new RecordSplitter('csv');
    const found: string[] = [];
    for (let start = 0; start < text.length; start += size)
      found.push(...splitter.push(text.slice(start, start + size)));
    expect(found).toEqual(records);
    expect(splitter.rest).toBe('');
  });

  test('tells what a file that was cut off lacks', () => {
    const splitter = new RecordSplitter('ndjson');
    expect([...splitter.push('{"a":1}\n{"a"')]).toEqual(['{"a":1}']);
    expect(splitter.rest).toBe('{"a"');
  });
});

describe('the same record without the message it answers', () => {
  const id = '10c57ea1-884e-4a4a-9566-026f047571a5';

  test('as NDJSON leaves what a message says about parent_id alone', () => {
    const content = String.raw`"content":"\"parent_id\":\"${id}\""`;
    expect(withoutParent(`{"id":"${id}",${content},"parent_id":"${id}"}`, 'ndjson', [])).toBe(
      `{"id":"${id}",${content},"parent_id":null}`,
    );
  });

  test('as CSV empties the one column', () => {
    const columns = ['id', 'content', 'parent_id'].map((name) => ({ name, type: 'text' }));
    expect(withoutParent(csvRecord([id, 'a,b', id]), 'csv', columns)).toBe(csvRecord([id, 'a,b', null]));
  });
});
