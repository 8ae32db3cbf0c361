import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const tests = path.join(import.meta.dirname, '..');
const page = readFileSync(path.join(import.meta.dirname, 'migration-behaviours.md'), 'utf8');
const named = [...page.matchAll(/\]\(\.\.\/([^)]+)\): (.+?)(?=<br>| +\|\n)/g)].map(([, file = '', title = '']) => ({
  file,
  title,
}));

test('every behaviour of migrations names a test that exists', () => {
  expect(page.match(/^\| \d+ /gm)).toHaveLength(20);
  expect(named.length).toBeGreaterThanOrEqual(20);
  const missing = named.filter(({ file, title }) => !readFileSync(path.join(tests, file), 'utf8').includes(title));
  expect(missing).toEqual([]);
});
