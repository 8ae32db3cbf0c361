// Preloaded into a run of aisec: the n-th call on a file below a directory fails with EIO, as on a disk that breaks.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const directory = process.env['FAIL_BELOW'] ?? '';
const position = Number(process.env['FAIL_AT_CALL']);
const mark = process.env['FAIL_MARK'];
const { writeFileSync } = fs;
let calls = 0;

/** @param {string} call */
function count(call) {
  calls += 1;
  if (calls !== position) return;
  if (mark !== undefined) writeFileSync(mark, call);
  throw Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO', errno: -5, syscall: call });
}

/** @param {unknown} file */
const isBelow = (file) => typeof file === 'string' && path.resolve(file).startsWith(directory);

/** @type {WeakSet<object>} */
const handles = new WeakSet();
for (const name of /** @type {const} */ ([
  'open',
  'rename',
  'rm',
  'readFile',
  'copyFile',
  'lstat',
  'readdir',
  'link',
])) {
  const original = /** @type {Function} */ (fs.promises[name]);
  Reflect.set(fs.promises, name, async (/** @type {unknown[]} */ ...args) => {
    if (isBelow(args[0])) count(name);
    const result = await original(...args);
    if (name === 'open' && isBelow(args[0])) watch(result);
    return result;
  });
}

/** @param {Record<string, unknown>} handle */
function watch(handle) {
  if (handles.has(handle)) return;
  handles.add(handle);
  for (const name of ['read', 'write', 'writev', 'sync', 'stat']) {
    const original = /** @type {Function} */ (handle[name]);
    handle[name] = async (/** @type {unknown[]} */ ...args) => {
      count(name);
      return original.apply(handle, args);
    };
  }
}
syncBuiltinESMExports();
