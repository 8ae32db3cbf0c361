// Writes what services import: dist/library (ES modules), dist/cjs (CommonJS, for Jest and whoever requires) and their
// types. A few files instead of one for each module of src/, and without what only the command line needs. Both lie two
// directories below the root, as base/package-file.ts expects. Why: docs/adr/0017.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The entries of package.json's exports, by their file in dist/. */
const ENTRIES = { index: 'index', schema: 'schema/index', testing: 'testing/index', zod: 'zod/index' };

/**
 * @param {string} dist
 * @param {Pick<import('rolldown').InputOptions, 'plugins' | 'transform'>} options
 * @returns {Promise<string[]>} the files
 */
export async function writeLibrary(dist, options) {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, path.join(dist, `${file}.js`)])),
    platform: 'node',
    external: [/^@electric-sql\//, /^zod/, 'ioredis', 'kysely', 'libpg-query', 'pg'],
    ...options,
    onLog: (level, log, report) => report(level === 'warn' ? 'error' : level, log),
  });
  const common = { chunkFileNames: '[name].js', exports: 'named' };
  const modules = await build.write({ ...common, dir: path.join(dist, 'library'), format: 'esm' });
  // Jest has no import(): what is loaded late is required.
  const required = await build.write({
    ...common,
    dir: path.join(dist, 'cjs'),
    format: 'cjs',
    dynamicImportInCjs: false,
  });
  const written = [
    ...modules.output.map((file) => path.join(dist, 'library', file.fileName)),
    ...required.output.map((file) => path.join(dist, 'cjs', file.fileName)),
  ];
  const isCommonJs = path.join(dist, 'cjs', 'package.json');
  writeFileSync(isCommonJs, '{ "type": "commonjs" }\n');
  const types = declarations(dist);
  return [...written, isCommonJs, ...copy(dist, types, 'types'), ...copy(dist, types, path.join('cjs', 'types'))];
}

/** The declarations that the entries lead to. @param {string} dist */
function declarations(dist) {
  /** @type {Set<string>} */
  const found = new Set();
  const follow = (/** @type {string} */ file) => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(path.join(dist, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)\.js'/g))
      follow(path.join(path.dirname(file), `${target}.d.ts`));
  };
  for (const file of Object.values(ENTRIES)) follow(`${file}.d.ts`);
  return [...found];
}

/** @param {string} dist @param {readonly string[]} files @param {string} into */
function copy(dist, files, into) {
  return files.map((file) => {
    const target = path.join(dist, into, file);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join(dist, file), target);
    return target;
  });
}
