import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const tests = path.join(import.meta.dirname, '..');

/** The rows of a page, and the tests that it names. */
function read(name: string): { rows: readonly string[]; named: readonly { file: string; title: string }[] } {
  const page = readFileSync(path.join(import.meta.dirname, name), 'utf8');
  const links = page.matchAll(/\]\(\.\.\/([^)]+)\): (.+?)(?=<br>| +\|\n)/g);
  return {
    rows: page.match(/^\| \d+ /gm) ?? [],
    named: [...links].map(([, file = '', title = '']) => ({ file, title })),
  };
}

test.each([
  ['backup', 20],
  ['client', 20],
  ['migration', 20],
  ['partition', 20],
  ['monitor', 26],
  ['state', 48],
])('the page of %s behaviours names a test that exists for each of the %i', (area, count) => {
  const { rows, named } = read(`${area}-behaviours.md`);
  expect(rows).toHaveLength(count);
  expect(named.length).toBeGreaterThanOrEqual(count);
  const missing = named.filter(({ file, title }) => !readFileSync(path.join(tests, file), 'utf8').includes(title));
  expect(missing).toEqual([]);
});
