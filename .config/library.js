// Writes what services import: dist/library (ES modules), dist/cjs (CommonJS, for Jest and whoever requires) and their
// types. A few files instead of one for each module of src/, and without what only the command line needs. Both lie two
// directories below the root, as base/package-file.ts expects. Why: docs/adr/0017.
import { writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';

import { writeDeclarations } from './declarations.js';

/** The entries of package.json's exports, by their file in dist/. */
const ENTRIES = {
  index: 'index',
  schema: 'schema/index',
  testing: 'testing/index',
  telemetry: 'telemetry/index',
  zod: 'zod/index',
};

/**
 * @param {string} dist
 * @param {Pick<import('rolldown').InputOptions, 'plugins'>} options
 * @returns {Promise<string[]>} the files
 */
export async function writeLibrary(dist, options) {
  const { rolldown } = await import('rolldown');
  const { esmExternalRequirePlugin } = await import('rolldown/plugins');
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, path.join(dist, `${file}.js`)])),
    platform: 'node',
    external: [/^@electric-sql\//, '@opentelemetry/api', /^zod/, 'kysely', 'libpg-query', 'pg'],
    plugins: [
      options.plugins,
      // A require() of the packages that are bundled would need a createRequire, which other bundlers do not understand.
      esmExternalRequirePlugin({ external: builtinModules.flatMap((name) => [name, `node:${name}`]) }),
    ],
    onLog: (level, log, report) => report(level === 'warn' ? 'error' : level, log),
  });
  // Small modules that many parts share are one file; the queries are loaded late, with what sends them.
  const groups = [
    { name: 'core', test: /dist[\\/](base|config)[\\/]|client[\\/]embedding\.js$|adapters[\\/]files[\\/]read\.js$/ },
    { name: 'pool', test: /adapters[\\/]postgres[\\/]pool[\\/](?!pooled-session)|client[\\/]driver-of\.js$/ },
    { name: 'queries', test: /adapters[\\/]postgres[\\/]sql-file\.js$/ },
  ];
  const common = { chunkFileNames: '[name].js', exports: 'named', codeSplitting: { groups } };
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
  return [...written, isCommonJs, ...(await writeDeclarations(dist, ENTRIES, ['library', 'cjs']))];
}
