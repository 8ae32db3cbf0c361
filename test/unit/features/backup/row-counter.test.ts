import { expect, test } from 'vitest';

import { RowCounter } from '../../../../src/features/backup/server/row-counter.js';

const TEXT = `SET client_encoding = 'UTF8';
COPY acme.users (id, name) FROM stdin;
1\ta
2\tCOPY acme.other (id) FROM stdin;
3\t\\\\.
\\.

COPY "Odd ""S""".empty (id) FROM stdin;
\\.
COPY acme."a.b c" ("x y", z) FROM stdin;
\\N\tä
\\.
SELECT 1;
`;

test('counts the rows of each table, however what is read is cut', () => {
  for (const size of [1, 2, 7, 4096]) {
    const counter = new RowCounter();
    const bytes = Buffer.from(TEXT);
    for (let at = 0; at < bytes.length; at += size) counter.add(bytes.subarray(at, at + size));
    expect(counter.rowsOf({ schema: 'acme', table: 'users' })).toBe(3);
    expect(counter.rowsOf({ schema: 'Odd "S"', table: 'empty' })).toBe(0);
    expect(counter.rowsOf({ schema: 'acme', table: 'a.b c' })).toBe(1);
    expect(counter.rowsOf({ schema: 'acme', table: 'other' })).toBeUndefined();
  }
});
