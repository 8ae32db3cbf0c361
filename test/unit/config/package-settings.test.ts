import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { resolveConfig } from '../../../src/config/config.js';
import { loadEnvironment } from '../../../src/config/environment.js';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'aisec-package-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

function places(settings: unknown, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  writeFileSync(path.join(cwd, 'package.json'), JSON.stringify({ name: 'x', aisec: settings }));
  return resolveConfig({}, loadEnvironment(environment, cwd).variables, cwd)
    .migrationPlaces.slice(1)
    .map(({ name, directory }) => `${name} ${path.relative(cwd, directory)}`);
}

test('package.json names the directory of own migrations, or several by name', () => {
  expect(places({ migrationsDir: './db/migrations' })).toEqual(['app db/migrations']);
  expect(places({ migrationsDir: { billing: './billing', crm: 'crm' } })).toEqual(['billing billing', 'crm crm']);
  expect(places(undefined)).toEqual([]);
});

test('the environment and .env win over package.json', () => {
  expect(places({ migrationsDir: './db' }, { AISEC_MIGRATIONS_DIR: './other' })).toEqual(['app other']);
  writeFileSync(path.join(cwd, '.env'), 'AISEC_MIGRATIONS_DIR=./from-env\n');
  expect(places({ migrationsDir: './db' })).toEqual(['app from-env']);
});

test.each([
  [{ migrationDir: './db' }, 'unknown setting aisec.migrationDir'],
  [{ databaseUrl: 'postgres://u@h/d' }, 'unknown setting aisec.databaseUrl'],
  [{ migrationsDir: 3 }, 'invalid value of aisec.migrationsDir'],
  [{ migrationsDir: '' }, 'invalid value of aisec.migrationsDir'],
  [{ schema: ['a'] }, 'invalid value of aisec.schema'],
])('%j in package.json is refused', (settings, message) => {
  expect(() => places(settings)).toThrow(message);
});

test('a package.json without the key may be as it likes', () => {
  writeFileSync(path.join(cwd, 'package.json'), '{ "name": "x", }');
  expect(loadEnvironment({}, cwd).variables).toEqual({});
});
