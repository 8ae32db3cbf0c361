// Compiles src/ into dist/. `npm ci` runs it too (prepare), so it is quiet when all is well.
//
// dist/ is written over and then freed of what was not written, rather than removed first: a module renamed in src/
// never ships under its old name, and an `aisec` that runs meanwhile never finds dist/ empty.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');

process.exitCode = build();

/** Returns the exit code. */
function build() {
  if (!existsSync(path.join(root, 'src'))) return 0;
  const compiler = findCompiler();
  if (compiler === undefined) return withoutCompiler();

  const run = spawnSync(process.execPath, [compiler, '--project', root, '--listEmittedFiles'], { encoding: 'utf8' });
  const marker = 'TSFILE: ';
  const lines = run.stdout.split(/\r?\n/);
  const messages = lines.filter((line) => line !== '' && !line.startsWith(marker)).join('\n');
  if (messages !== '' || run.stderr !== '') process.stderr.write(`${messages}\n${run.stderr}`);
  if (run.status !== 0) return 1;

  const emitted = lines.filter((line) => line.startsWith(marker)).map((line) => line.slice(marker.length));
  removeAllBut(new Set(emitted.map((file) => path.resolve(root, file))));
  return 0;
}

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
