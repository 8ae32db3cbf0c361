// Writes the tarball that services install: `npm run tarball [directory]`. As `npm pack`, with a package.json of only what
// they need: a prepare script would make npm warn of it, and nobody builds there.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Of the repository, not of the package. */
const OURS = ['private', 'scripts', 'prettier', 'devDependencies', 'allowScripts', 'overrides'];

/** @param {string} into @returns {string} the tarball */
export function pack(into) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const stage = mkdtempSync(path.join(tmpdir(), 'aisec-pack-'));
  try {
    /** @type {readonly string[]} */
    const names = [...manifest.files, 'README.md'];
    const left = names.filter((name) => name.startsWith('!')).map((name) => path.join(stage, name.slice(1)));
    for (const name of names.filter((each) => !each.startsWith('!')))
      cpSync(path.join(root, name), path.join(stage, name), { recursive: true, filter: (_, to) => !left.includes(to) });
    // Sixty files of a few lines each, which programs read.
    packSchemas(path.join(stage, 'docs', 'json'));
    unlinkSources(stage);
    const kept = Object.fromEntries(Object.entries(manifest).filter(([name]) => !OURS.includes(name)));
    kept['dependencies'] = { ...kept['dependencies'], ...namedByDriver() };
    writeFileSync(path.join(stage, 'package.json'), `${JSON.stringify(kept, undefined, 2)}\n`);
    const options = ['--ignore-scripts', '--json', '--pack-destination', path.resolve(into)];
    const [packed] = JSON.parse(execFileSync('npm', ['pack', ...options], { cwd: stage, encoding: 'utf8' }));
    return path.join(path.resolve(into), packed.filename);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/**
 * pg requires them where it finds them, so it runs without them; a bundler does not, and `--omit=optional` leaves them out.
 * Two files of 20 kB.
 */
function namedByDriver() {
  const { optionalDependencies } = createRequire(import.meta.url)('pg/package.json');
  return optionalDependencies;
}

/** A link to what is not in the package, such as the source of a module, becomes its text. @param {string} stage */
function unlinkSources(stage) {
  for (const name of readdirSync(stage, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.md')) continue;
    const file = path.join(stage, name);
    const text = readFileSync(file, 'utf8').replaceAll(
      /\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g,
      (link, words, target) => (existsSync(path.join(path.dirname(file), target)) ? link : words),
    );
    writeFileSync(file, text);
  }
}

/** The JSON Schemas of all commands in one file, by the names of their files. @param {string} directory */
function packSchemas(directory) {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.schema.json'))
    .sort();
  const schemas = files.map((file) => [
    file.slice(0, -'.schema.json'.length),
    JSON.parse(readFileSync(path.join(directory, file), 'utf8')),
  ]);
  for (const file of files) rmSync(path.join(directory, file));
  writeFileSync(path.join(directory, 'schemas.json'), `${JSON.stringify(Object.fromEntries(schemas))}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${pack(process.argv[2] ?? '.')}\n`);
