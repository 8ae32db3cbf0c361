// The version as JavaScript, for the library: a service that is bundled has no package.json of ours beside it.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const READS = /JSON\.parse\(readFileSync\(packageFile\('package\.json'\), 'utf8'\)\)\.version/;

/**
 * A plugin that puts the version in the place where it is read.
 *
 * @param {string} root
 * @returns {import('rolldown').Plugin}
 */
export function compiledVersion(root) {
  const module = path.join(root, 'dist', 'base', 'package', 'version.js');
  return {
    name: 'compiled-version',
    load(id) {
      if (id !== module) return null;
      const code = readFileSync(id, 'utf8');
      if (!READS.test(code)) throw new Error(`${id} does not read the version as it is expected to`);
      const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
      return code.replace(READS, JSON.stringify(version));
    },
  };
}
