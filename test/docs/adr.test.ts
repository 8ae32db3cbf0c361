import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const directory = path.join(import.meta.dirname, '..', '..', 'docs', 'adr');
const index = readFileSync(path.join(directory, 'README.md'), 'utf8');
const files = readdirSync(directory)
  .filter((name) => /^\d{4}-.*\.md$/.test(name))
  .toSorted();

test('the index of decisions lists each one by its number and its title', () => {
  const lines = files.map((file) => {
    const [title = ''] = readFileSync(path.join(directory, file), 'utf8').split('\n');
    return `- [${file.slice(0, 4)}](${file}) ${title.replace(/^# \d{4} /, '')}`;
  });
  expect(index.split('\n').filter((line) => line.startsWith('- ['))).toEqual(lines);
});

test('the numbers of decisions have no hole and no double', () => {
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, position) => position + 1));
});
