import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { probePostgres, probeRedis } from './probe.js';

/** A database the tests can use, and where it came from. */
interface Found {
  readonly url: string;
  readonly description: string;
  readonly stop?: () => Promise<unknown>;
}

export interface Ladder {
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  /** One line for people: which databases, from which rung. */
  readonly summary: string;
  /** Stops what the ladder started itself. */
  stop(): Promise<void>;
}

const services = path.join(import.meta.dirname, 'services');

/**
 * Finds the databases of a test run, the first that is there: the address in AISEC_TEST_DATABASE_URL (or
 * AISEC_TEST_REDIS_URL), the services of test/support/services, a container where a Docker engine answers.
 * `none` as an address leaves that database out. An address that does not answer is an error, never a step down.
 */
export async function climbLadder(env: NodeJS.ProcessEnv): Promise<Ladder> {
  const local = readLocalServices(env);
  const server = await find('AISEC_TEST_DATABASE_URL', [env, local], probePostgres, startPostgres);
  const redis = await find('AISEC_TEST_REDIS_URL', [env, local], probeRedis, startRedis);
  if (env['CI'] && !(server && redis)) throw new Error(missingInCi(server, redis));
  // Client programs (pg_dump, psql) of the local services' own version; the workers inherit this environment.
  if (server && local?.['PATH'] && server.url === local['AISEC_TEST_DATABASE_URL']) env['PATH'] = local['PATH'];
  return {
    databaseUrl: server?.url ?? null,
    redisUrl: redis?.url ?? null,
    summary: summarize(server, redis),
    async stop() {
      await Promise.all([server?.stop?.(), redis?.stop?.()]);
    },
  };
}

interface Container {
  readonly url: string;
  stop(): Promise<unknown>;
}

/** @param variable that has the address, in the environment or among those of the local services */
async function find(
  variable: string,
  [env, local]: readonly [NodeJS.ProcessEnv, LocalServices | undefined],
  probe: (url: string, from: string) => Promise<string>,
  start: () => Promise<Container>,
): Promise<Found | undefined> {
  const url = env[variable];
  if (url === 'none') return undefined;
  if (url) return { url, description: await probe(url, variable) };
  const localUrl = local?.[variable];
  if (localUrl) return { url: localUrl, description: await probe(localUrl, 'test/support/services') };
  if (!(await dockerAnswers())) return undefined;
  const container = await start();
  return {
    url: container.url,
    description: await probe(container.url, 'container'),
    stop: () => container.stop(),
  };
}

async function startPostgres(): Promise<Container> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const settings = ['shared_preload_libraries=pg_stat_statements', 'max_connections=200', 'fsync=off'];
  const container = await new PostgreSqlContainer('pgvector/pgvector:pg16')
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .start();
  return { url: container.getConnectionUri(), stop: () => container.stop() };
}

async function startRedis(): Promise<Container> {
  const { RedisContainer } = await import('@testcontainers/redis');
  const container = await new RedisContainer('redis:7').start();
  return { url: container.getConnectionUrl(), stop: () => container.stop() };
}

type LocalServices = Readonly<Record<string, string>>;

/** What `services env` exports; undefined when they are not up. */
function readLocalServices(env: NodeJS.ProcessEnv): LocalServices | undefined {
  const script = 'eval "$("$1" env 2>/dev/null || echo exit 1)" && env -0';
  const run = spawnSync('bash', ['-c', script, 'bash', services], { encoding: 'utf8', env: { PATH: env['PATH'] } });
  if (run.status !== 0) return undefined;
  return Object.fromEntries(run.stdout.split('\0').map((line) => splitOnce(line, '=')));
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

async function dockerAnswers(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await import('testcontainers');
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

function summarize(server: Found | undefined, redis: Found | undefined): string {
  const found = [
    server?.description ?? 'no PostgreSQL server',
    'embedded PostgreSQL',
    redis?.description ?? 'no Redis',
  ];
  return `Test databases: ${found.join(', ')}`;
}

function missingInCi(server: Found | undefined, redis: Found | undefined): string {
  const missing = [...(server ? [] : ['a PostgreSQL server with pgvector']), ...(redis ? [] : ['Redis'])];
  return [
    `CI is set and the tests found no ${missing.join(' and no ')}; nothing was run. Any of these gives them:`,
    '  eval "$(test/support/services up)"   Debian, as root; installs and starts both',
    '  docker compose up -d --wait          see compose.yaml',
    '  AISEC_TEST_DATABASE_URL and AISEC_TEST_REDIS_URL   addresses of your own (a superuser; PostgreSQL 16 or newer)',
    '  a running Docker engine              the tests start containers themselves',
  ].join('\n');
}
