import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';

import { waitFor } from '../../support/wait-for.js';

/** Where Debian puts it; AISEC_TEST_PGBOUNCER names another one. */
function findProgram(): string | undefined {
  const candidates = [process.env['AISEC_TEST_PGBOUNCER'], 'pgbouncer', '/usr/sbin/pgbouncer'];
  return candidates.find((name) => name !== undefined && spawnSync(name, ['--version']).status === 0);
}

export const pgbouncer = findProgram();

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Pgbouncer {
  /** The address through it. */
  readonly url: string;
  /** As a crash; `start` brings it back at the same address. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A pooler, in transaction mode unless otherwise wished, in front of a database, with `size` connections to it. */
export async function startPgbouncer(
  url: string,
  size: number,
  mode: 'transaction' | 'session' = 'transaction',
): Promise<Pgbouncer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-pgbouncer-'));
  const target = new URL(url);
  const port = await freePort();
  writeFileSync(path.join(directory, 'users.txt'), `"${target.username}" ""\n`);
  writeFileSync(
    path.join(directory, 'pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${target.hostname} port=${target.port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${path.join(directory, 'users.txt')}`,
      `pool_mode = ${mode}`,
      `default_pool_size = ${size}`,
      'max_client_conn = 500',
      '',
    ].join('\n'),
  );
  // It refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) spawnSync('chown', ['-R', 'nobody', directory]);
  const ids = isRoot ? { uid: Number(spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout) } : {};
  const through = Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  const start = async (): Promise<void> => {
    child = spawn(pgbouncer ?? '', [path.join(directory, 'pgbouncer.ini')], { ...ids, stdio: 'ignore' });
    await waitFor(async () => {
      const client = new pg.Client({ connectionString: through });
      return client.connect().then(
        () => client.end().then(() => true),
        () => false,
      );
    });
  };
  await start();
  return {
    url: through,
    kill,
    start,
    stop: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
