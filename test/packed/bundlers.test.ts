import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { build as esbuild } from 'esbuild';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import webpack from 'webpack';

import { describeOnServer } from '../support/database.js';
import { installPacked } from '../support/packed-package.js';
import { createServiceDatabase, type ServiceDatabase } from '../integration/client/service-role.js';

const root = path.join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-bundlers-'));
const entry = path.join(directory, 'app.mjs');

beforeAll(async () => {
  await installPacked(directory, 'zod', '@types/node');
  cpSync(path.join(root, 'test', 'fixtures', 'service'), directory, { recursive: true });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Where neither the package nor its files can be found. */
function outside(name: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-bundled-'));
  elsewhere.push(directory);
  const file = path.join(directory, 'deep', 'down', name);
  mkdirSync(path.dirname(file), { recursive: true });
  return file;
}
const elsewhere: string[] = [];
afterAll(() => elsewhere.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

async function withEsbuild(format: 'cjs' | 'esm'): Promise<string> {
  const outfile = outside(format === 'cjs' ? 'app.cjs' : 'app.mjs');
  await esbuild({
    entryPoints: [entry],
    ...(format === 'esm' && { banner: { js: REQUIRE } }),
    bundle: true,
    platform: 'node',
    format,
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

async function withRolldown(): Promise<string> {
  const file = outside('app.mjs');
  const build = await rolldown({ input: entry, platform: 'node', external: ['pg-native'], logLevel: 'warn' });
  await build.write({ dir: path.dirname(file), entryFileNames: 'app.mjs', format: 'esm' });
  return file;
}

async function withWebpack(): Promise<string> {
  const file = outside('app.cjs');
  const compiler = webpack({
    mode: 'production',
    target: 'node',
    entry,
    output: { path: path.dirname(file), filename: 'app.cjs' },
    externals: { 'pg-native': 'commonjs pg-native' },
    optimization: { minimize: false },
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  expect(stats?.hasErrors(), stats?.toString({ all: false, errors: true })).toBe(false);
  return file;
}

describeOnServer('A service that is bundled, away from the package', () => {
  let service: ServiceDatabase;
  beforeAll(async () => {
    // One for each bundle, which erases them at its end.
    service = await createServiceDatabase(4);
  });

  test.each([
    ['esbuild as ES module', 'user1', () => withEsbuild('esm')],
    ['esbuild as CommonJS', 'user2', () => withEsbuild('cjs')],
    ['rolldown', 'user3', withRolldown],
    ['webpack', 'user4', withWebpack],
  ])('does all of its work: %s', async (_, username, bundle) => {
    const redisUrl = inject('redisUrl');
    const file = await bundle();
    const output = execFileSync(process.execPath, [file], {
      cwd: path.dirname(file),
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        ADMIN_URL: service.database.url,
        USERNAME: username,
        DATABASE_URL: service.url,
        ...(redisUrl !== null && { REDIS_URL: redisUrl }),
      },
    });
    expect(JSON.parse(output)).toEqual({
      isRight: true,
      titles: 1,
      matches: [],
      isListening: true,
      redis: redisUrl === null ? 'none' : 'up',
      assistants: 1,
      person: { exported: true, status: 'done', hits: [] },
    });
  });
});

describe('A service in CommonJS', () => {
  test('requires the package without require(esm), as in Jest, and works on the database of tests', () => {
    const flags = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
      ? ['--no-experimental-require-module']
      : [];
    const run = spawnSync(process.execPath, [...flags, path.join(directory, 'required.cjs')], {
      encoding: 'utf8',
      env: { ...process.env, SNAPSHOTS: path.join(directory, 'snapshots') },
    });
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toEqual({ own: [{ username: 'a' }], isOurs: true, code: 'USER_SCOPE' });
  });

  test('has types there, too', () => {
    const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'node16',
      '--target',
      'es2023',
      '--types',
      'node',
    ];
    const run = spawnSync(process.execPath, [compiler, '--ignoreConfig', ...options, 'required.cts'], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(run.stdout).toBe('');
  });
});
