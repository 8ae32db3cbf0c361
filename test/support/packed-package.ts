import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { pack } from '../../.config/pack.js';
import { madeOnce } from './made-once.js';

const root = path.join(import.meta.dirname, '..', '..');

/** The package of the files of dist/, packed once in a run. */
export const packedOfRun = (): Promise<string> => madeOnce('package.tgz', (into) => Promise.resolve(pack(into)));

/** The package unpacked into `node_modules`/aisec, and beside it what npm would install. */
export async function installPacked(directory: string, ...further: readonly string[]): Promise<void> {
  const modules = path.join(directory, 'node_modules');
  const target = path.join(modules, 'aisec');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', await packedOfRun(), '-C', target, '--strip-components=1']);
  const manifest = JSON.parse(readFileSync(path.join(target, 'package.json'), 'utf8')) as Record<string, object>;
  const optional = manifest['peerDependenciesMeta'] ?? {};
  const names = new Set([
    ...Object.keys(manifest['dependencies'] ?? {}),
    ...Object.keys(manifest['optionalDependencies'] ?? {}),
    ...Object.keys(manifest['peerDependencies'] ?? {}).filter((name) => !(name in optional)),
    ...further,
  ]);
  for (const name of names) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
}
