import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';

import pg from 'pg';

const serverUrl = process.env['AISEC_TEST_DATABASE_URL'];
if (serverUrl === undefined)
  throw new Error('set AISEC_TEST_DATABASE_URL, for example by: eval "$(test/support/services up)"');
const program = path.join(import.meta.dirname, '..', '..', 'bin', 'aisec.js');

/** @param {string} database */
export function urlOf(database) {
  return Object.assign(new URL(/** @type {string} */ (serverUrl)), { pathname: `/${database}` }).toString();
}

/** A session that survives its own termination without ending the benchmark. @param {string} database @param {string} [name] */
export async function connect(database, name = 'bench') {
  const client = new pg.Client({ connectionString: urlOf(database), application_name: name });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** @param {string} sql one statement, in the server's own database */
export async function onServer(sql) {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** An empty database with all migrations. @param {string} name */
export async function migratedDatabase(name) {
  await onServer(`drop database if exists ${name} with (force)`);
  await onServer(`create database ${name} template template0`);
  const { exitCode, stderr } = await runAisec(name, ['migrate', 'up']);
  if (exitCode !== 0) throw new Error(`aisec migrate up failed:\n${stderr}`);
}

/** @param {string} name */
export async function dropDatabase(name) {
  await onServer(`drop database if exists ${name} with (force)`);
}

/**
 * Starts aisec. `ended` resolves with its exit code (null when a signal ended it) and its wall time.
 *
 * @param {string} database
 * @param {readonly string[]} args
 */
export function startAisec(database, args) {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DATABASE_URL: urlOf(database) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output.stderr += text));
  /** @type {Promise<{ exitCode: number | null, wallMs: number, stdout: string, stderr: string }>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, wallMs: performance.now() - startedMs, ...output }));
  });
  return { child, ended };
}

/** @param {string} database @param {readonly string[]} args */
export function runAisec(database, args) {
  return startAisec(database, args).ended;
}

/** Runs it and stops the benchmark unless it ends with exit code 0. @param {string} database @param {readonly string[]} args */
export async function runAisecWell(database, args) {
  const run = await runAisec(database, args);
  if (run.exitCode !== 0)
    throw new Error(`aisec ${args.join(' ')} ended with ${run.exitCode}\n${run.stdout}${run.stderr}`);
  return run;
}

/** Runs psql with one command. Returns its wall time in milliseconds. @param {string} database @param {string} command */
export function psql(database, command) {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', command, urlOf(database)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`psql failed: ${stderr}`);
  return performance.now() - startedMs;
}

/** Load average of the last minute, and the number of cores, for the report. */
export function machineLoad() {
  const { stdout } = spawnSync('uptime', { encoding: 'utf8' });
  return stdout.trim().replace(/^.*load average/, 'load average');
}
