import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { installPacked } from '../support/packed-package.js';

const AGE = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const NOWHERE = 'postgres://service@127.0.0.1:1/none';

describeOnServer('The package without its optional packages (npm install --omit=optional)', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-slim-'));
  const modules = path.join(directory, 'node_modules');
  let versions: Record<string, string>;

  beforeAll(async () => {
    await installPacked(directory);
    const manifest = JSON.parse(readFileSync(path.join(modules, 'aisec', 'package.json'), 'utf8'));
    versions = manifest.optionalDependencies;
    for (const name of Object.keys(versions)) rmSync(path.join(modules, name));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const aisec = (args: string, env: Record<string, string> = {}): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [path.join(modules, 'aisec', 'bin', 'aisec.js'), ...args.split(' ')], {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: directory, ...env },
    });

  test.each([
    ['migrate up --embedded', 'the embedded database', ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'], {}],
    ['migrate lint', 'the embedded database', ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'], {}],
    ['types generate --out types.ts', 'the embedded database', ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'], {}],
    ['backup list --store s3://bucket/backups', 'an S3-compatible store', ['@aws-sdk/client-s3'], { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' }],
    [`backup --dir backups --encrypt-to ${AGE}`, 'encryption', ['age-encryption'], { DATABASE_URL: NOWHERE }],
  ])('aisec %s says what is missing and the command that installs it', (args, purpose, names, env) => {
    const { status, stderr } = aisec(args, env);
    const one = names.length === 1;
    const what = `${one ? 'the package' : 'the packages'} ${names.join(' and ')}, which ${one ? 'is' : 'are'} not installed`;
    const command = `npm install --omit=optional ${names.map((name) => `${name}@${versions[name]}`).join(' ')}`;
    expect(stderr).toContain(`error: ${purpose} needs ${what}\nhint: Install ${one ? 'it' : 'them'} beside aisec: ${command}\n`);
    expect(status).toBe(2);
  }); // prettier-ignore

  test('applies the bundled migrations, those without a transaction, too; reverting says what it needs and changes nothing', async () => {
    const env = { DATABASE_URL: (await createServerDatabase()).url };
    expect(aisec('migrate up', env)).toMatchObject({ status: 0 });
    const redo = aisec('migrate redo --yes', env);
    expect(redo).toMatchObject({ status: 2, stderr: expect.stringContaining('npm install --omit=optional libpg-query@') });
    expect(aisec('migrate check', env)).toMatchObject({ status: 0 });
  }); // prettier-ignore

  test('a bundler finds everything that the driver names', async () => {
    const { dependencies } = createRequire(import.meta.url)('pg/package.json') as { dependencies: object };
    const bundled = await build({
      stdin: { contents: `export * from 'aisec'`, resolveDir: directory },
      bundle: true,
      platform: 'node',
      format: 'esm',
      // Looked for in this directory, not where the links lead to.
      preserveSymlinks: true,
      external: Object.keys(dependencies),
      write: false,
      logLevel: 'silent',
    });
    expect(bundled.errors).toEqual([]);
  });

  test('the client works without them', () => {
    const run = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `import('aisec').then((m) => console.log(typeof m.withUser))`],
      {
        cwd: directory,
        encoding: 'utf8',
      },
    );
    expect(run).toMatchObject({ status: 0, stdout: 'function\n' });
    expect(readFileSync(path.join(modules, 'aisec', 'package.json'), 'utf8')).toContain('"pg"');
  });
});
