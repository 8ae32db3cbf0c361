// Whether dist/ is what the sources would give, so that building once more, as `npm test` does after `npm ci`, takes a second.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import { markAllAsCompiled } from './compile.js';

/** All that a build reads, with what npm has installed. */
const INPUTS = [
  'src',
  'sql',
  'migrations',
  '.config',
  'package.json',
  'tsconfig.json',
  'node_modules/.package-lock.json',
];

/** @param {string} root */
const stampFile = (root) => path.join(root, 'dist', 'build-stamp.json');

/** @param {string} root @param {string} name @returns {string[]} paths of the files in it, or of itself */
function filesOf(root, name) {
  const place = path.join(root, name);
  if (!existsSync(place)) return [];
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** By content: a clone or a merge gives files new times. @param {string} root */
function hashInputs(root) {
  const hash = createHash('sha256').update(process.version);
  for (const file of INPUTS.flatMap((name) => filesOf(root, name)))
    hash.update(`\0${path.relative(root, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** By size and time: a file of dist/ that was changed or removed by hand is made again. @param {string} root */
function hashOutputs(root) {
  const hash = createHash('sha256');
  for (const file of filesOf(root, 'dist').filter((name) => name !== stampFile(root))) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(root, file)}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/** @param {string} root */
export function isBuilt(root) {
  if (!existsSync(stampFile(root))) return false;
  const { inputs, outputs } = JSON.parse(readFileSync(stampFile(root), 'utf8'));
  return outputs === hashOutputs(root) && inputs === hashInputs(root);
}

/** Before a build writes: one that is broken off leaves no stamp. @param {string} root */
export function removeStamp(root) {
  rmSync(stampFile(root), { force: true });
}

/** After everything else. @param {string} root */
export function writeStamp(root) {
  writeFileSync(stampFile(root), JSON.stringify({ inputs: hashInputs(root), outputs: hashOutputs(root) }));
}

/** Where nothing is to be built: sources with a newer time and the same text are as compiled as before. @param {string} root */
export function renewStamp(root) {
  markAllAsCompiled(root);
  writeStamp(root);
}
