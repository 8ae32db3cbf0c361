import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { AisecError, messageOf } from '../../base/errors.js';
import { interruptionError } from '../../base/interruption.js';
import { redactText } from '../../base/redact.js';
import type { ServerTarget } from '../../config/database-target.js';
import type { PgRestoreRun } from './access.js';

const KEPT_LINES = 20;

function serviceText(target: ServerTarget, database: string): string {
  const { connection } = target;
  const lines: Record<string, string | undefined> = {
    host: connection.host,
    port: connection.port,
    user: connection.user,
    password: connection.password,
    dbname: database,
    sslmode: connection.sslMode,
    sslrootcert: connection.sslRootCert,
    sslcert: connection.sslCert,
    sslkey: connection.sslKey,
    options: connection.options,
    connect_timeout: connection.connectTimeoutSeconds ?? '10',
  };
  return `[aisec]\n${Object.entries(lines)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value ?? ''}\n`)
    .join('')}`;
}

function missing(program: string, detail: string): AisecError {
  return new AisecError('PG_TOOL_MISSING', `there is no pg_restore that can be used: ${program}`, {
    detail,
    hint: 'Install the client programs of the PostgreSQL version the backup comes from, or set AISEC_PG_BIN to their folder.',
  });
}

/** An archive of a newer pg_dump cannot be read at all. */
function failure(program: string, errors: readonly string[]): AisecError {
  const detail = errors.join('\n  ');
  return /unsupported version \(/.test(detail)
    ? missing(program, `It is older than the pg_dump that wrote the archive: ${detail}.`)
    : new AisecError('PG_TOOL_FAILED', 'pg_restore failed', { detail });
}

/** Runs pg_restore; the password goes through a service file that only this user can read. */
export async function runPgRestore(
  program: string,
  target: ServerTarget,
  environment: Readonly<Record<string, string | undefined>>,
  run: PgRestoreRun,
  signal: AbortSignal,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aisec-pg-'));
  try {
    const service = join(folder, 'service');
    const options = Object.entries(run.settings ?? {}).map(([name, value]) => `-c ${name}=${value}`);
    const all = [target.connection.options, ...options].filter(Boolean).join(' ');
    const connection = { ...target.connection, ...(all !== '' && { options: all }) };
    await writeFile(service, serviceText({ ...target, connection }, run.database ?? ''), { mode: 0o600 });
    const args = run.database === undefined ? run.args : ['--dbname=service=aisec', '--no-password', ...run.args];
    const env = { PATH: environment['PATH'], HOME: environment['HOME'], LC_ALL: 'C', PGSERVICEFILE: service };
    return await new Promise<string>((resolve, reject) => {
      const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      const stop = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGTERM'));
      signal.addEventListener('abort', stop, { once: true });
      let stdout = '';
      const errors: string[] = [];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (/error:|detail:|hint:|ERROR:|DETAIL:|HINT:/i.test(line)) errors.push(redactText(line));
        if (errors.length > KEPT_LINES) errors.pop();
        run.onLine?.(line);
      });
      child.once('error', (error) => reject(missing(program, `${messageOf(error)}.`)));
      child.once('close', (code) => {
        signal.removeEventListener('abort', stop);
        if (signal.aborted) reject(interruptionError(signal));
        else if (code === 0) resolve(stdout);
        else reject(failure(program, errors));
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
