import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { createServerDatabase, type ServerDatabase } from '../support/database.js';
import type {} from '../support/provided.js';
import { installPacked } from '../support/packed-package.js';
import { dropMadeFrom } from '../support/testing-databases.js';

const root = path.join(import.meta.dirname, '..', '..');
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Of a service that knows the packed package only: neither src/ nor the test's own modules can be found from here. */
describe('the examples, from the packed package', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-examples-'));
  let server: ServerDatabase | undefined;
  beforeAll(async () => {
    if (inject('databaseUrl') !== null) server = await createServerDatabase();
    await installPacked(directory, 'zod', '@types/node', 'typescript');
    cpSync(path.join(root, 'examples'), directory, { recursive: true });
    writeFileSync(path.join(directory, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    if (server !== undefined) await dropMadeFrom(server);
  });

  function compile(...options: readonly string[]): string {
    const config = {
      compilerOptions: { target: 'es2023', lib: ['es2023'], strict: true, types: ['node'], skipLibCheck: true },
      include: ['*-service/**/*', 'wrong-uses.ts'],
    };
    writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(config));
    return spawnSync(process.execPath, [compiler, '-p', '.', ...options], { cwd: directory, encoding: 'utf8' }).stdout;
  }

  test('compile where modules are resolved as a bundler does, and no wrong use does', () => {
    expect(compile('--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler')).toBe('');
  });

  test('compile as Node resolves modules, and their own tests pass', () => {
    expect(compile('--outDir', 'built', '--module', 'nodenext')).toBe('');
    const compiled = readdirSync(path.join(directory, 'built'), { recursive: true, encoding: 'utf8' });
    const tests = compiled.filter((name) => name.endsWith('.test.js')).map((name) => path.join('built', name));
    const run = spawnSync(process.execPath, ['--test', ...tests], {
      cwd: directory,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: directory,
        ...(server !== undefined && { TEST_DATABASE_URL: server.url }),
      },
    });
    expect(run.stdout).toMatch(/# pass 4\n/);
    expect(run.status, run.stdout).toBe(0);
  });
});
