import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { installPacked } from '../support/packed-package.js';
import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { createRedisProcess } from '../support/redis-process.js';

const root = path.join(import.meta.dirname, '..');
const services = path.join(root, 'support', 'services');

interface Cell {
  readonly postgres: string;
  /** None: that of this run. */
  readonly node?: string;
  readonly cache: 'redis-server' | 'valkey-server';
}

const ON_16: Cell = { postgres: '16', cache: 'redis-server' };
const CELLS: readonly Cell[] = [
  { postgres: '17', node: '22', cache: 'redis-server' },
  { postgres: '18', node: '24', cache: 'valkey-server' },
];

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

describeOnPrivateServer(
  'The package, installed beside',
  () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-versions-'));
    const aisec = path.join(directory, 'node_modules', 'aisec', 'bin', 'aisec.js');

    /** Installs what is asked for, where it is not there yet, and returns the path that it prints. */
    const install = (what: 'other' | 'node', env: Readonly<Record<string, string>>): string =>
      execFileSync(services, [what], { env: { ...process.env, ...env }, encoding: 'utf8' }).trim();

    beforeAll(async () => {
      await installPacked(directory, 'kysely', 'zod');
      // In CI they are being unpacked beside the tests: this waits for it.
      for (const { postgres, node } of [ON_16, ...CELLS]) {
        install('other', { AISEC_SERVICES_MAJOR: postgres });
        if (node !== undefined) install('node', { AISEC_SERVICES_NODE: node });
      }
    }, 600_000);
    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    const open = async ({ postgres, node, cache }: Cell) => {
      const clients = install('other', { AISEC_SERVICES_MAJOR: postgres });
      const program = node === undefined ? process.execPath : install('node', { AISEC_SERVICES_NODE: node });
      const server = await startPrivateServer({ fsync: 'off' }, postgres);
      const url = await server.createDatabase('app');
      const place = mkdtempSync(path.join(directory, 'place-'));
      cpSync(path.join(root, 'fixtures', 'service', 'app.mjs'), path.join(place, 'app.mjs'));
      const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> =>
        new Promise((resolve) => {
          const all = { HOME: place, PATH: `${clients}:${process.env['PATH'] ?? ''}`, DATABASE_URL: url, ...env };
          execFile(program, args, { cwd: place, env: all }, (error, stdout, stderr) => {
            resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
          });
        });
      const succeeds = async (command: string, exitCodes: readonly number[] = [0]): Promise<Run> => {
        const result = await run([aisec, ...command.split(' ')], {
          AISEC_ADMIN_PASSWORD: 'only of this test',
        });
        expect({ command, ...result }).toEqual({ command, ...result, exitCode: expect.toBeOneOf([...exitCodes]) });
        return result;
      };
      const query = async (database: string, statement: string): Promise<readonly unknown[]> => {
        const client = new pg.Client({ connectionString: databaseAddress(server.url, database) });
        await client.connect();
        const { rows } = await client.query<unknown[]>({ text: statement, rowMode: 'array' });
        await client.end();
        return rows[0] ?? [];
      };
      const backedUpAndRestored = async (): Promise<void> => {
        await succeeds('backup');
        await succeeds('backup verify --deep');
        const [dump] = readdirSync(path.join(place, 'backups')).filter((file) => file.endsWith('.dump'));
        await succeeds(`restore ${dump} --create restored`);
      };
      expect(String(await query('app', 'show server_version'))).toMatch(new RegExp(`^${postgres}\\.`));
      return { server, url, cache, run, succeeds, query, backedUpAndRestored };
    };

    /** A server, with a database that is called app. */
    type Opened = Awaited<ReturnType<typeof open>>;

    const servesService = async ({ url, cache, run, query }: Opened): Promise<void> => {
      const redis = await createRedisProcess([], cache);
      await redis.start();
      const [username] = await query('app', 'select username from users order by created_at desc limit 1');
      const service = await run(['app.mjs'], { ADMIN_URL: url, USERNAME: String(username), REDIS_URL: redis.url });
      await redis.remove();
      expect(service).toMatchObject({ exitCode: 0, stderr: '' });
      expect(JSON.parse(service.stdout)).toMatchObject({
        isRight: true,
        titles: 1,
        isListening: true,
        redis: 'up',
        person: { exported: true, status: 'done', hits: [] },
      });
    };

    const doesAll = async (opened: Opened): Promise<void> => {
      const { succeeds, query, backedUpAndRestored } = opened;
      await succeeds('migrate up');
      await succeeds('seed');
      await succeeds('seed demo --yes --users 3 --messages 400 --embeddings 40 --months 9');
      await succeeds('partitions ensure --ahead 6');
      await succeeds('archive --older-than 6mo');
      await succeeds('migrate verify');
      await backedUpAndRestored();
      const counts = `select (select count(*)::int from messages), (select count(*)::int from messages_archive),
        (select count(*)::int from message_keys), (select count(embedding)::int from knowledge_base)`;
      const [live, archived, keys, embeddings] = (await query('app', counts)) as number[];
      expect({ keys, embeddings }).toEqual({ keys: Number(live) + Number(archived), embeddings: 40 });
      expect(archived).toBeGreaterThan(0);
      expect(await query('restored', counts)).toEqual([live, archived, keys, embeddings]);
      const { findings } = JSON.parse((await succeeds('doctor --json', [0, 3])).stdout) as {
        readonly findings: readonly { readonly severity: string }[];
      };
      expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      await succeeds('monitor');
      await succeeds('monitor record');
      await servesService(opened);
    };

    test.each(CELLS)('does all of its work: %o', { timeout: 900_000 }, async (cell) => {
      const opened = await open(cell);
      expect(await opened.run(['--version'])).toMatchObject({ stdout: expect.stringMatching(`^v${cell.node}\\.`) });
      await doesAll(opened);
      await opened.server.remove();
    });

    test(
      'does on PostgreSQL 16, for which no package has pgvector, what needs none, and all of its work where it was added',
      { timeout: 900_000 },
      async () => {
        const opened = await open(ON_16);
        const { server, succeeds, query, backedUpAndRestored } = opened;
        const [hasVectors] = await query(
          'app',
          "select exists (select from pg_available_extensions where name = 'vector')",
        );
        if (hasVectors === true) await doesAll(opened);
        else {
          expect((await succeeds('migrate up', [1])).stderr).toContain('Debian: postgresql-16-pgvector');
          await query('app', 'create table own as select n from generate_series(1, 1000) n');
          await succeeds('monitor tables');
          await backedUpAndRestored();
          expect(await query('restored', 'select count(*)::int from own')).toEqual([1000]);
        }
        await server.remove();
      },
    );
  },
  ['16', '17', '18'],
);
