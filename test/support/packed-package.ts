import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { pack } from '../../.config/pack.js';

const root = path.join(import.meta.dirname, '..', '..');

/** The files of dist/ as they are now, packed and unpacked into `modules`/aisec, and beside them what npm would install. */
export function installPacked(directory: string, ...further: readonly string[]): void {
  const modules = path.join(directory, 'node_modules');
  const target = path.join(modules, 'aisec');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', pack(directory), '-C', target, '--strip-components=1']);
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
