import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

import { pack } from '../../.config/pack.js';

const root = path.join(import.meta.dirname, '..', '..');

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('the packed package', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-pack-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  // Without scripts: packing would build again, and what is wanted is what stands in dist/ now.
  const tarball = pack(directory);
  const files = run('tar', '-tzf', tarball)
    .split('\n')
    .filter((file) => file !== '')
    .map((file) => file.replace('package/', ''));
  const manifest = JSON.parse(run('tar', '-xzOf', tarball, 'package/package.json'));

  test('has the program, the compiled code, the migrations, the seeds, the docs and the examples', () => {
    const directories = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    expect(directories).toEqual(new Set(['bin', 'dist', 'docs', 'examples', 'migrations', 'seeds']));
  });

  test('has at the top only what npm always adds', () => {
    const beside = files.filter((file) => !file.includes('/'));
    expect(
      beside.filter(
        (file) => !['package.json', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE'].includes(file),
      ),
    ).toEqual([]);
  });

  test('has in dist/ the bundled command line, the bundled library in two formats, and one file of types for each export', () => {
    const strange = files
      .filter((file) => file.startsWith('dist/'))
      .filter((file) => {
        if (file === 'dist/cjs/package.json') return false;
        if (
          /^dist\/bundle\/([a-z0-9_-]+\.js|pg_dump\.wasm|(help|examined-migrations)\.json|empty-database\.tar\.br)$/.test(
            file,
          )
        )
          return false;
        if (/^dist\/(library|cjs)\/[a-z0-9_-]+\.js$/.test(file)) return false;
        return !/^dist\/(library|cjs)\/(index|schema|telemetry|testing|zod)\.d\.ts$/.test(file);
      });
    expect(strange).toEqual([]);
    expect(files.length).toBeLessThanOrEqual(300);
  });

  test('has the JSON Schema of every command in one file', () => {
    const schemas = JSON.parse(run('tar', '-xzOf', tarball, 'package/docs/json/schemas.json')) as Record<
      string,
      object
    >;
    const names = readdirSync(path.join(root, 'docs', 'json')).map((file) => file.replace('.schema.json', ''));
    expect(Object.keys(schemas).toSorted()).toEqual(names.toSorted());
    expect(files.filter((file) => file.startsWith('docs/json/'))).toEqual(['docs/json/schemas.json']);
  });

  test('has no link in its docs that leads nowhere', () => {
    const unpacked = path.join(directory, 'unpacked');
    mkdirSync(unpacked);
    run('tar', '-xzf', tarball, '-C', unpacked);
    const dead = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => {
        const text = readFileSync(path.join(unpacked, 'package', file), 'utf8');
        const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => target);
        return targets
          .filter((target) => !existsSync(path.join(unpacked, 'package', path.dirname(file), target)))
          .map((target) => `${file}: ${target}`);
      });
    expect(dead).toEqual([]);
  });

  test('has every file that package.json and the README point at', () => {
    const targets = [...leaves(manifest.bin), ...leaves(manifest.exports)].map((file) => path.posix.normalize(file));
    const readme = run('tar', '-xzOf', tarball, 'package/README.md');
    const linked = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)/g)].map(([, file = '']) => file.replace(/\/$/, ''));
    expect(linked.length).toBeGreaterThan(5);
    const isThere = (file: string): boolean => files.some((each) => each === file || each.startsWith(`${file}/`));
    expect([...targets, ...linked].filter((file) => !isThere(file))).toEqual([]);
  });

  test('runs no script where it is installed, and asks for nothing that only the repository needs', () => {
    const ours = ['scripts', 'private', 'devDependencies', 'overrides'];
    expect(ours.filter((name) => name in manifest)).toEqual([]);
  });
});

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const packages = Object.entries<LockedPackage>(lock.packages);

  test('names no registry, so that any mirror serves', () => {
    expect(packages.filter(([, entry]) => entry.resolved !== undefined).map(([name]) => name)).toEqual([]);
  });

  // npm leaves out what its registry did not have that day, and `npm ci` then refuses the lock everywhere.
  test('has the programs of every platform, not only of the one it was written on', () => {
    const wanted = packages.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.filter((name) => lock.packages[`node_modules/${name}`] === undefined)).toEqual([]);
  });
});

test('no file of the repository names a directory of the machine it was written on', () => {
  const own = [root, homedir()].filter((directory) => directory.split(path.sep).length > 2);
  const patterns = [...own.map(literally), '/(home|Users)/\\w[\\w-]*/', '[/]root/', '[A-Z]:\\\\+Users\\\\'];
  const machinePath = new RegExp(`(?<![\\w.:])(${patterns.join('|')})`);
  const offending = repositoryFiles().filter((file) => machinePath.test(readFileSync(path.join(root, file), 'latin1')));
  expect(offending).toEqual([]);
});

test('only test/packed, which npm test leaves out, installs the packed package', () => {
  const installs = /^import .*support\/packed-package/m;
  const installing = repositoryFiles().filter(
    (file) => file.endsWith('.test.ts') && installs.test(readFileSync(path.join(root, file), 'utf8')),
  );
  expect(installing.filter((file) => !file.startsWith('test/packed/'))).toEqual([]);
  expect(installing).not.toEqual([]);
});

/** Tracked, and about to be. */
function repositoryFiles(): readonly string[] {
  // safe.directory: a CI container may run as another user than the one who cloned.
  const output = run('git', '-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
  return output.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Every text in a nested object. */
function leaves(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}
