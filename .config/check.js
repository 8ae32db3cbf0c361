// Everything that is asked of a change, as CI runs it. What reads sources only runs beside each other and prints its output when
// it ends; the tests come last, with all cores for themselves.
import { spawn } from 'node:child_process';
import process from 'node:process';

// Types are checked by `lint:code`, which reads the program anyway: half the CPU of tsc beside it (`npm run types`).
const BESIDE = ['lint:code', 'lint:format', 'layers', 'docs:check'];

/** @param {string} name of a script @param {import('node:child_process').StdioOptions} stdio */
function start(name, stdio) {
  return spawn('npm', ['run', '--silent', name], { stdio });
}

/**
 * @param {string} name of a script
 * @returns {Promise<boolean>} whether it found nothing
 */
function runBeside(name) {
  return new Promise((resolve) => {
    const child = start(name, ['ignore', 'pipe', 'pipe']);
    /** @type {Buffer[]} */
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      process.stdout.write(
        `${code === 0 ? 'passed' : 'FAILED'}: npm run ${name}\n${code === 0 ? '' : Buffer.concat(output)}`,
      );
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(BESIDE.map(runBeside));
if (passed.every(Boolean)) {
  process.exitCode = await new Promise((resolve) => {
    start('test:all', 'inherit').on('close', (code) => resolve(code ?? 1));
  });
} else {
  process.exitCode = 1;
}
