import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('the packed package', () => {
  // Without scripts: packing would build anew, and what is wanted is what stands in dist/ now.
  const packed = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts')) as [
    { readonly files: readonly { readonly path: string }[] },
  ];
  const files = packed[0].files.map((file) => file.path);

  test('has the program, the compiled code, the migrations, the queries and the seeds', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    expect(folders).toEqual(new Set(['bin', 'dist', 'migrations', 'seeds', 'sql']));
  });

  test('has at the top only what npm always adds', () => {
    const beside = files.filter((file) => !file.includes('/'));
    expect(beside.filter((file) => !['package.json', 'README.md', 'LICENSE'].includes(file))).toEqual([]);
  });

  test('has in dist/ the bundled command line, and beside it only code and its types, each from a module of src/', () => {
    const bundled = files.filter((file) => file.startsWith('dist/bundle/'));
    expect(bundled).toContain('dist/bundle/start.js');
    expect(
      bundled.filter(
        (file) => !/^dist\/bundle\/([a-z0-9_-]+\.js|pg_dump\.wasm|empty-database\.tar\.br|help\.json)$/.test(file),
      ),
    ).toEqual([]);
    const compiled = files.filter((file) => file.startsWith('dist/') && !bundled.includes(file));
    const strange = compiled.filter((file) => {
      const module = /^dist\/(.+?)(\.d\.ts|\.js)$/.exec(file)?.[1];
      return module === undefined || !existsSync(path.join(root, 'src', `${module}.ts`));
    });
    expect(strange).toEqual([]);
  });

  test('has every file that package.json points at', () => {
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const targets = [...leaves(manifest.bin), ...leaves(manifest.exports)].map((file) => path.posix.normalize(file));
    expect(targets.filter((file) => !files.includes(file))).toEqual([]);
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

test('no file of the repository names a folder of the machine it was written on', () => {
  const own = [root, homedir()].filter((folder) => folder.split(path.sep).length > 2);
  const patterns = [...own.map(literally), '/(home|Users)/\\w[\\w-]*/', '[/]root/', '[A-Z]:\\\\+Users\\\\'];
  const machinePath = new RegExp(`(?<![\\w.:])(${patterns.join('|')})`);
  const offending = repositoryFiles().filter((file) => machinePath.test(readFileSync(path.join(root, file), 'latin1')));
  expect(offending).toEqual([]);
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
