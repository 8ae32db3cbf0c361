// Compiles src/ into dist/ (the library, module by module) and bundles the command line into dist/bundle/. `npm ci` runs
// it too (prepare), so it is quiet when all is well. Why there is a bundle, with figures: docs/adr/0003.
//
// dist/ is written over and then freed of what was not written, rather than removed first: a module renamed in src/
// never ships under its old name, and an `aisec` that runs meanwhile never finds dist/ empty.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

import { isBuilt, removeStamp, renewStamp, writeStamp } from './build-stamp.js';
import { compile } from './compile.js';
import { compiledSql } from './compiled-sql.js';
import { compiledVersion } from './compiled-version.js';
import { writeLibrary } from './library.js';
import { writeSchemaColumns } from './schema-columns.js';
import { sharedModules } from './shared-chunks.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');

/** Returns the exit code. */
async function build() {
  if (!existsSync(path.join(root, 'src'))) return 0;
  const compiler = findCompiler();
  if (compiler === undefined) return withoutCompiler();
  if (isBuilt(root)) {
    renewStamp(root);
    return 0;
  }
  removeStamp(root);
  writeSchemaColumns(root);

  const compiled = compile(root, compiler);
  if (compiled === undefined) return 1;
  const bundled = await bundle();
  const library = await writeLibrary(dist, {
    plugins: [withoutUnusedLoaders, compiledSql(root), compiledVersion(root)],
  });
  const help = await writeHelp();
  const database = await writeEmptyDatabase();
  const examined = await writeExaminedMigrations();
  removeAllBut(
    new Set([...compiled, ...bundled, ...library, help, database, examined].map((file) => path.resolve(root, file))),
  );
  writeStamp(root);
  return 0;
}

/**
 * One file for the start-up and one for each lazily loaded part, instead of 30 to 60 small modules at 0.8 ms each.
 * The embedded database, the SQL parser and the terminal packages stay outside: they are loaded rarely or carry files.
 */
async function bundle() {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: { start: path.join(dist, 'cli', 'start.js') },
    platform: 'node',
    external: [
      // The tools pin another version of PGlite as their peer, though they work with ours: nobody has to install them.
      /^@electric-sql\/(?!pglite-tools)/,
      /^@aws-sdk\//,
      'age-encryption',
      'libpg-query',
      'kysely',
      'pg-native',
    ],
    plugins: [withoutUnusedLoaders, compiledSql(root)],
    // pg asks `new Response()` whether it runs on Cloudflare, which loads Node's whole fetch implementation (20 ms).
    transform: { define: { Response: 'undefined' } },
    onLog: (level, log, report) => {
      // Emscripten's own code, in a place that is not reached.
      if (log.code === 'EVAL' && log.message.includes('@electric-sql/pglite-tools')) return;
      report(level === 'warn' ? 'error' : level, log);
    },
  });
  /** @type {import('rolldown').OutputOptions} */
  const options = { dir: path.join(dist, 'bundle'), format: 'esm', chunkFileNames: '[name].js' };
  const groups = [queries, core];
  const first = await build.generate({ ...options, codeSplitting: { groups } });
  const shared = sharedModules(first.output.filter((file) => file.type === 'chunk'));
  const { output } = await build.write({
    ...options,
    codeSplitting: { groups: [...groups, { name: 'shared', test: (id) => shared.has(path.normalize(id)) }] },
  });
  return [...output.map((file) => path.join(dist, 'bundle', file.fileName)), copyPgDump()];
}

/** What the bundled tools load from beside themselves. */
function copyPgDump() {
  const file = path.join(dist, 'bundle', 'pg_dump.wasm');
  const tools = createRequire(import.meta.url).resolve('@electric-sql/pglite-tools/pg_dump');
  copyFileSync(path.join(path.dirname(tools), 'pg_dump.wasm'), file);
  return file;
}

/** What every start needs, in one file; help alone needs none of it. */
const core = {
  name: 'core',
  test: (id) =>
    /dist[\\/](base|cli)[\\/]|dist[\\/]config[\\/](config|environment|settings)\.js|string-width|wrap-ansi|east-asian|(strip-ansi|ansi-regex|ansi-styles|emoji-regex)[\\/]/.test(
      id,
    ) && !/(start|prerendered-help)\.js$/.test(id),
};

/** Loaded when the first query is sent, not with the code around it. */
const queries = { name: 'queries', test: /adapters[\\/]postgres[\\/]sql-file\.js$/ };

/** The help of every command, so that showing it renders nothing (cli/prerendered-help.ts). */
async function writeHelp() {
  const { COMMANDS } = await import(path.join(dist, 'cli', 'commands.js'));
  const { buildProgram } = await import(path.join(dist, 'cli', 'program.js'));
  const { helpText } = await import(path.join(dist, 'cli', 'command-tree.js'));
  const names = ['', ...COMMANDS.flatMap(({ name }) => [name, name.split(' ')[0]])];
  const nothing = () => undefined;
  const texts = names.map((name) => {
    const words = name.split(' ').filter(Boolean);
    return [name, helpText(buildProgram(nothing, nothing, words), words)];
  });
  const file = path.join(dist, 'bundle', 'help.json');
  writeFileSync(file, JSON.stringify(Object.fromEntries(texts)));
  return file;
}

/**
 * The checksums of the bundled migrations, after PostgreSQL's parser has found no transaction control and the like in them:
 * no run has to load it (60 ms) for their sake; and the statements of those that run without a transaction. A file that is
 * wrong stops the build.
 */
async function writeExaminedMigrations() {
  const file = path.join(dist, 'bundle', 'examined-migrations.json');
  rmSync(file, { force: true });
  const files = path.join(dist, 'features', 'migrate', 'files', 'migration-folder.js');
  const { readMigrationFolder, refuseUnsafeStatements } = await import(files);
  const migrations = await readMigrationFolder(path.join(root, 'migrations'), root);
  await refuseUnsafeStatements(migrations);
  const { parseStatements } = await import(path.join(dist, 'adapters', 'sql-parser', 'statements.js'));
  /** @param {{ sql: string } | undefined} section */
  const statements = async (section) => section && (await parseStatements(section.sql)).statements;
  const entries = [];
  for (const { checksum, isTransactional, up, down } of migrations)
    entries.push([checksum, isTransactional ? null : { up: await statements(up), down: await statements(down) }]);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(entries))}\n`);
  return file;
}

/**
 * An embedded database that initdb has made, so that no command has to (5 s of CPU). Kept as long as the engine and the
 * modules that make it stay the same.
 */
async function writeEmptyDatabase() {
  const modules = ['build-empty-database.js', 'drop-templates.js', 'embedded.js'].map((name) =>
    path.join(dist, 'adapters', 'embedded', name),
  );
  const engine = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const version = readFileSync(path.join(path.dirname(engine), '..', 'package.json'));
  const hash = createHash('sha256');
  for (const part of [version, ...modules.map((file) => readFileSync(file))]) hash.update(part);
  const key = hash.digest();

  const file = path.join(dist, 'bundle', 'empty-database.tar.br');
  if (
    !existsSync(file) ||
    !readFileSync(file)
      .subarray(key.length, 2 * key.length)
      .equals(key)
  ) {
    const { buildEmptyDatabase } = await import(modules[0]);
    // Compiled once, as the command line does it.
    setFlagsFromString('--liftoff-only');
    // An `aisec` that runs meanwhile finds the old one or the new one.
    writeFileSync(`${file}.partial`, await buildEmptyDatabase(key));
    renameSync(`${file}.partial`, file);
  }
  return file;
}

/**
 * node-pg-migrate loads its TypeScript and glob loaders (60 ms) for reading migration files, which aisec reads itself.
 * The class that is used, Migration, calls neither.
 *
 * @type {import('rolldown').Plugin}
 */
const withoutUnusedLoaders = {
  name: 'without-unused-loaders',
  resolveId: (id) => (id === 'jiti' || id === 'glob' ? `\0unused:${id}` : null),
  load: (id) =>
    id.startsWith('\0unused:')
      ? "const glob = () => { throw new Error('node-pg-migrate reads no files here'); };\nconst createJiti = () => ({ import: glob });\nexport { createJiti, glob };"
      : null,
};

function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

/** `npm ci --omit=dev` runs prepare without the compiler: right when dist/ came along, an error when it did not. */
function withoutCompiler() {
  if (existsSync(path.join(dist, 'index.js'))) return 0;
  process.stderr.write(
    'error: dist/ is not built and TypeScript is not installed\n' +
      'HINT: Run "npm ci", then "npm prune --omit=dev" if the development packages are not wanted.\n',
  );
  return 1;
}

function removeAllBut(kept) {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !kept.has(file)) rmSync(file);
  }
}

process.exitCode = await build();
