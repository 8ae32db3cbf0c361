import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { packageFile } from '../../../../src/base/package-file.js';

/** A process of its own: here another test may have loaded the parser. */
const READ_AND_PARSE = `
  import { createRequire } from 'node:module';
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('libpg-query')).length;
  const { readMigrationFolder } = await import('./dist/features/migrate/files/migration-folder.js');
  const { parseStatements } = await import('./dist/adapters/sql-parser/statements.js');
  const files = await readMigrationFolder('migrations', process.cwd());
  const afterReading = loaded();
  await parseStatements('select 1');
  console.log(JSON.stringify({ files: files.length, afterReading, afterParsing: loaded() }));
`;

test('the bundled migrations are read without loading the SQL parser, which would cost every run 60 ms', () => {
  const args = ['--input-type=module', '--eval', READ_AND_PARSE];
  const text = execFileSync(process.execPath, args, { cwd: packageFile('.'), encoding: 'utf8' });
  const seen = JSON.parse(text) as { files: number; afterReading: number; afterParsing: number };
  expect(seen.files).toBeGreaterThan(15);
  expect(seen.afterReading).toBe(0);
  expect(seen.afterParsing).toBeGreaterThan(0);
});

test('no bundled migration names a schema: everything goes where --schema says', () => {
  const directory = packageFile('migrations');
  const naming = readdirSync(directory).filter((file) =>
    /\bpublic\s*\./i.test(readFileSync(`${directory}/${file}`, 'utf8').replaceAll(/--[^\n]*/g, '')),
  );
  expect(naming).toEqual([]);
});
