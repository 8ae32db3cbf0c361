// Preloaded into a run of aisec: the n-th call on a file below a directory fails with EIO, as on a disk that breaks, with
// ENOSPC (FAIL_BY), or kills the run (FAIL_BY=SIGKILL). FAIL_NAME: only calls on files whose path has this in it are counted.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const directory = process.env['FAIL_BELOW'] ?? '';
const position = Number(process.env['FAIL_AT_CALL']);
const name = process.env['FAIL_NAME'] ?? '';
const by = process.env['FAIL_BY'] ?? 'EIO';
const mark = process.env['FAIL_MARK'];
const { writeFileSync } = fs;
let calls = 0;

/** @param {string} call */
function count(call) {
  calls += 1;
  if (calls !== position) return;
  if (mark !== undefined) writeFileSync(mark, call);
  if (by === 'SIGKILL') process.kill(process.pid, by);
  throw Object.assign(new Error(`${by}: the test has it, ${call}`), {
    code: by,
    errno: by === 'EIO' ? -5 : -28,
    syscall: call,
  });
}

/** @param {unknown} file */
const isBelow = (file) => typeof file === 'string' && path.resolve(file).startsWith(directory) && file.includes(name);

/** @type {WeakSet<object>} */
const handles = new WeakSet();
for (const call of /** @type {const} */ ([
  'open',
  'rename',
  'rm',
  'readFile',
  'copyFile',
  'lstat',
  'readdir',
  'link',
  'rmdir',
])) {
  const original = /** @type {Function} */ (fs.promises[call]);
  Reflect.set(fs.promises, call, async (/** @type {unknown[]} */ ...args) => {
    if (isBelow(args[0])) count(call);
    const result = await original(...args);
    if (call === 'open' && isBelow(args[0])) watch(result);
    return result;
  });
}

/** @param {Record<string, unknown>} handle */
function watch(handle) {
  if (handles.has(handle)) return;
  handles.add(handle);
  for (const call of ['read', 'write', 'writev', 'sync', 'stat']) {
    const original = /** @type {Function} */ (handle[call]);
    handle[call] = async (/** @type {unknown[]} */ ...args) => {
      count(call);
      return original.apply(handle, args);
    };
  }
}
syncBuiltinESMExports();
