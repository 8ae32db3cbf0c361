import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { expect, test } from 'vitest';

import { parseStatements } from '../../../../src/adapters/sql-parser/statements.js';
import { packageFile } from '../../../../src/base/package-file.js';
import { readMigrationFolder } from '../../../../src/features/migrate/files/migration-folder.js';

const loadedParsers = (): readonly string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('libpg-query'));

test('the bundled migrations are read without loading the SQL parser, which would cost every run 60 ms', async () => {
  const files = await readMigrationFolder(packageFile('migrations'), process.cwd());
  expect(files.length).toBeGreaterThan(15);
  expect(loadedParsers()).toEqual([]);
  await parseStatements('select 1');
  expect(loadedParsers()).not.toEqual([]);
});

test('no bundled migration names a schema: everything goes where --schema says', () => {
  const directory = packageFile('migrations');
  const naming = readdirSync(directory).filter((file) =>
    /\bpublic\s*\./i.test(readFileSync(`${directory}/${file}`, 'utf8').replaceAll(/--[^\n]*/g, '')),
  );
  expect(naming).toEqual([]);
});
