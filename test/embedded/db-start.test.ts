import { spawnSync } from 'node:child_process';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createMigratedEmbedded, queryEmbedded } from '../support/migrated-embedded.js';
import { runCli, startCli, type RunningCli } from '../support/run-cli.js';
import { waitFor } from '../support/wait-for.js';

let dataDir: string;
let server: RunningCli;
let url: string;
const clients = new Set<pg.Client>();

async function start(...args: readonly string[]): Promise<string> {
  server = startCli(['db', 'start', '--port', '0', '--lock-timeout', '15s', ...args], {
    // What `db start` prints is what a project's .env has.
    env: { AISEC_DATA_DIR: dataDir, DATABASE_URL: 'postgres://postgres@127.0.0.1:1/postgres' },
    timeoutMs: 600_000,
  });
  await server.waitForOutput('Ready: PostgreSQL 18');
  return server.stdout().trim();
}

async function connect(options: pg.ClientConfig = {}): Promise<pg.Client> {
  // Beside a URL node-postgres takes no user.
  const { hostname: host, port } = new URL(url);
  const client = new pg.Client({ host, port: Number(port), user: 'postgres', database: 'postgres', ...options });
  client.on('error', () => undefined);
  await client.connect();
  clients.add(client);
  return client;
}

function psql(...args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  return spawnSync('psql', ['-X', '-At', '-d', url, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
}

beforeAll(async () => {
  dataDir = await createMigratedEmbedded();
  url = await start();
  const client = await connect();
  await client.query('create table account (id int primary key, amount int not null)');
  await client.query('insert into account select n, 100 from generate_series(1, 4) as n');
  await client.query('create role app login');
  await client.query('create role nobody nologin');
  await client.query('grant select on account to app');
});

afterAll(async () => {
  await Promise.all([...clients].map((client) => client.end().catch(() => undefined)));
  server.child.kill('SIGKILL');
  await server.finished.catch(() => undefined);
});

describe('db start', () => {
  it('serves psql: statements, catalogs, COPY in both directions', () => {
    expect(psql('-c', '\\d account').stdout).toContain('amount|integer');
    const rows = psql('-c', "select 1 as one, 'x' as two").stdout;
    expect(rows).toBe('1|x\n');
    const copied = spawnSync(
      'psql',
      [
        '-X',
        '-At',
        '-d',
        url,
        '-c',
        'create table copied (n int)',
        '-c',
        '\\copy copied from stdin',
        '-c',
        'copy copied to stdout',
      ],
      {
        encoding: 'utf8',
        input: '7\n8\n',
        env: { PATH: process.env['PATH'] },
      },
    );
    expect(copied.stdout).toBe('CREATE TABLE\nCOPY 2\n7\n8\n');
    expect(psql('-c', '\\copy missing from /dev/null').stderr).toContain('relation "missing" does not exist');
    // PGlite ends over a COPY that it was not told of.
    expect(psql('-c', 'select 1; copy copied from stdin').stderr).toContain('COPY is the only statement');
    expect(psql('-c', 'select count(*) from copied').stdout).toBe('2\n');
  });

  it('serves a pool: each connection has its own statements, even of one name, and large rows arrive whole', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    try {
      const answers = await Promise.all(
        Array.from({ length: 40 }, async (_, n) => (await pool.query(`select $1::int + ${n} as sum`, [n])).rows),
      );
      expect(answers).toEqual(Array.from({ length: 40 }, (_, n) => [{ sum: 2 * n }]));
      const [one, two] = await Promise.all([pool.connect(), pool.connect()]);
      const same = async (client: pg.PoolClient, n: number): Promise<unknown> =>
        (await client.query({ name: 'same', text: `select $1::text || '${n}' as text`, values: ['v'] })).rows;
      expect(await Promise.all([same(one, 1), same(two, 2)])).toEqual([[{ text: 'v1' }], [{ text: 'v2' }]]);
      // What a pooler does between two clients; it ends the statements of the whole session.
      await one.query('deallocate all');
      const after = await same(two, 2).catch(String);
      for (const client of [one, two]) client.release(true);
      expect(after).toEqual([{ text: 'v2' }]);
      const large = 'ä'.repeat(3_000_000);
      const { rows } = await pool.query<{ back: string }>('select $1::text as back', [large]);
      expect(rows[0]?.back === large).toBe(true);
    } finally {
      await pool.end();
    }
  });

  it('runs transactions one after the other, each to its end', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    const transfer = async (from: number, to: number): Promise<void> => {
      const client = await pool.connect();
      await client.query('begin');
      const { rows } = await client.query<{ amount: number }>('select amount from account where id = $1', [from]);
      await client.query('update account set amount = $1 where id = $2', [(rows[0]?.amount ?? 0) - 1, from]);
      await client.query('update account set amount = amount + 1 where id = $1', [to]);
      await client.query('commit');
      client.release();
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => transfer((n % 3) + 1, 4)));
    const { rows } = await pool.query('select amount from account order by id');
    expect(rows).toEqual([{ amount: 93 }, { amount: 93 }, { amount: 94 }, { amount: 120 }]);
    await pool.end();
  });

  it('keeps settings and roles of connections apart', async () => {
    const one = await connect({ application_name: 'one', options: '-c search_path=pg_catalog -c lock_timeout=9s' });
    const two = await connect({ application_name: 'two' });
    await one.query("set app.user_id = '7'");
    await one.query("select set_config('work_mem', '9MB', false)");
    await one.query('set role app');
    const state = `select current_setting('application_name') as name, current_setting('search_path') as path, current_user as role,
      current_setting('lock_timeout') as lock, current_setting('work_mem') as memory, current_setting('app.user_id', true) as id`;
    const ofTwo = await two.query(state);
    expect(ofTwo.rows).toMatchObject([{ name: 'two', path: 'public', role: 'postgres', lock: '0', id: '' }]);
    const ofOne = await one.query(state);
    expect(ofOne.rows).toEqual([{ name: 'one', path: 'pg_catalog', role: 'app', lock: '9s', memory: '9MB', id: '7' }]);

    const app = await connect({ user: 'app' });
    await expect(app.query('update account set amount = 0')).rejects.toThrow('permission denied for table account');
    await expect(connect({ user: 'nobody' })).rejects.toMatchObject({ code: '28000' });
    await expect(connect({ user: 'missing' })).rejects.toThrow('role "missing" does not exist');
    await expect(connect({ database: 'other' })).rejects.toThrow('database "other" does not exist');
    await expect(connect({ options: '-c work_mem=much' })).rejects.toThrow('invalid value for parameter "work_mem"');
  });

  it('hands notifications to who listens', async () => {
    const [listener, other] = [await connect(), await connect()];
    const heard: string[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
    other.on('notification', () => heard.push('the other one'));
    await listener.query('listen news');
    await other.query("notify news, 'now'");
    await waitFor(() => Promise.resolve(heard.length > 0));
    expect(heard).toEqual(['now']);
  });

  it('says who has the session when a transaction keeps it, and rolls back what a lost client began', async () => {
    const holder = await connect({ application_name: 'holder' });
    const [waiting, other] = [await connect(), await connect()];
    await holder.query('begin');
    await holder.query('delete from account');
    const [simple, extended] = await Promise.allSettled([
      waiting.query('select 1'),
      other.query('select $1::int', [1]),
    ]);
    for (const { reason } of [simple, extended] as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: '55P03', detail: expect.stringContaining('a connection of holder') });
    // Not ended: the network is gone.
    (holder as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
    const { rows } = await waiting.query('select count(*)::int as rows from account');
    expect(rows).toEqual([{ rows: 4 }]);
  });

  it('refuses a second start, naming who has the database, and a port in use', async () => {
    const again = await runCli(['db', 'start', '--port', '0'], { env: { AISEC_DATA_DIR: dataDir } });
    expect(again).toMatchObject({ exitCode: 5, stdout: '' });
    expect(again.stderr).toContain(`Process ${server.child.pid} (aisec db start)`);
    const other = path.join(await createMigratedEmbedded());
    const taken = await runCli(['db', 'start', '--port', new URL(url).port], { env: { AISEC_DATA_DIR: other } });
    expect(taken).toMatchObject({ exitCode: 2, stdout: '' });
    expect(taken.stderr).toContain(`port ${new URL(url).port} of 127.0.0.1 is in use`);
  });

  it('ends with SIGTERM: clients get the reason, what was committed is there, and the directory is free', async () => {
    const client = await connect();
    const told = new Promise<Error>((resolve) => client.on('error', resolve));
    await client.query('insert into account values (5, 5)');
    await client.query('begin');
    await client.query('insert into account values (6, 6)');
    server.child.kill('SIGTERM');
    expect(await server.finished).toMatchObject({ exitCode: 143 });
    expect((await told).message).toContain('terminating connection');
    expect(await queryEmbedded(dataDir, 'select id from account where id > 4')).toEqual([{ id: 5 }]);
  });
});
