import { findDriver } from '../../adapters/postgres/pool/pool-dialect.js';
import type { PoolDriver, PoolStats } from '../../adapters/postgres/pool/pool-driver.js';
import type { Probed } from '../../adapters/postgres/pool/probe.js';
import { AisecError, messageOf } from '../../base/errors.js';
import type { AnyDatabase } from '../any-database.js';
import { checkOptions } from '../check-arguments.js';
import type { Cache } from '../create-cache.js';
import type { HealthCheck, HealthStatus } from './health-check.js';
import { replicaCheck } from './replica-check.js';

export interface HealthOptions {
  readonly cache?: Pick<Cache, 'status'>;
  /** The longest that the answer takes. Default: 2 s. */
  readonly timeoutMs?: number;
}

const OPTIONS: Readonly<Record<keyof HealthOptions, true>> = { cache: true, timeoutMs: true };

export interface HealthReport {
  /** fail: no request that needs the database can be served; warn: all can, but something is slower or missing. */
  readonly status: HealthStatus;
  readonly checks: readonly HealthCheck[];
  /** Undefined where the database was not made by createDatabase. */
  readonly pool: PoolStats | undefined;
}

const DEFAULT_TIMEOUT_MS = 2000;
const LONGEST_TIMEOUT_MS = 60_000;
const RANK: Readonly<Record<HealthStatus, number>> = { pass: 0, warn: 1, fail: 2 };

type Answer = readonly HealthCheck[];

/** Probes that run: callers meanwhile share one. */
const probes = new WeakMap<PoolDriver, { readonly timeoutMs: number; readonly answer: Promise<Answer> }>();

function described(error: unknown): Pick<HealthCheck, 'message' | 'hint'> {
  const hint = error instanceof AisecError ? error.hint : undefined;
  return { message: messageOf(error), ...(hint !== undefined && { hint }) };
}

function databaseCheck(
  { durationMs, error, isBusy, isSilent, state }: Probed,
  driver: PoolDriver,
  timeoutMs: number,
): HealthCheck {
  const name = 'database';
  const fail = { name, status: 'fail', durationMs } as const;
  if (error !== undefined) return { ...fail, ...described(error) };
  if (isSilent === true) return { ...fail, message: `the database did not answer within ${timeoutMs} ms` };
  if (isBusy === true) {
    const { inUse, waiting, max } = driver.stats;
    return {
      ...fail,
      message: `no connection to the database within ${timeoutMs} ms: ${inUse} of ${max} are in use, ${waiting} callers wait`,
      ...(inUse >= max && {
        hint: 'Look for transactions that wait for something slow, such as a model; or raise poolSize.',
      }),
    };
  }
  if (state?.isReadOnly !== true) return { name, status: 'pass', durationMs };
  const hint = 'A standby is not promoted yet, or default_transaction_read_only is set.';
  return { name, status: 'warn', durationMs, message: 'the database accepts no writes', hint };
}

async function askServers(driver: PoolDriver, timeoutMs: number): Promise<Answer> {
  const startedMs = performance.now();
  const primary = await driver.probe(timeoutMs);
  const leftMs = Math.max(1, timeoutMs - (performance.now() - startedMs));
  const replicas = await driver.probeReplicas(leftMs);
  return [
    databaseCheck(primary, driver, timeoutMs),
    ...replicas.map((replica) => replicaCheck(replica, primary.state?.position)),
  ];
}

async function checkServers(driver: PoolDriver, timeoutMs: number): Promise<Answer> {
  const running = probes.get(driver);
  if (running !== undefined && running.timeoutMs <= timeoutMs) return running.answer;
  const answer = askServers(driver, timeoutMs).finally(() => probes.delete(driver));
  probes.set(driver, { timeoutMs, answer });
  return answer;
}

function checkCache(cache: Pick<Cache, 'status'>): readonly HealthCheck[] {
  const { isListening, problem, redis } = cache.status();
  const heard: HealthCheck = isListening
    ? { name: 'cache', status: 'pass' }
    : { name: 'cache', status: 'warn', ...described(problem ?? 'the cache has not connected yet') };
  if (redis === 'none') return [heard];
  if (redis === 'up') return [heard, { name: 'redis', status: 'pass' }];
  const message =
    redis === 'down' ? 'Redis does not answer: rows come from the database' : 'the cache has not joined yet';
  return [heard, { name: 'redis', status: 'warn', message }];
}

function boundedTimeout(timeoutMs: number | undefined): number {
  const wanted = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return Number.isFinite(wanted) ? Math.min(Math.max(1, wanted), LONGEST_TIMEOUT_MS) : DEFAULT_TIMEOUT_MS;
}

/**
 * Whether a service can do its work now: for a readiness probe, which takes it out of the load balancer. It is not for a liveness probe: a restart of
 * the service does not bring its database back. Asks the server, and each replica, one question over a connection of the pool, within
 * `timeoutMs`; callers that come meanwhile get the same answer. Whatever is wrong
 * with the database is in the report.
 *
 * @throws AisecError USAGE for an option that there is not.
 *
 * @example
 * app.get('/readyz', async (_, reply) => {
 *   const health = await checkHealth(db, { cache });
 *   return reply.code(health.status === 'fail' ? 503 : 200).send(health);
 * });
 */
export async function checkHealth(db: AnyDatabase, options: HealthOptions = {}): Promise<HealthReport> {
  checkOptions('checkHealth', options, OPTIONS, 'USAGE');
  const checks: HealthCheck[] = [];
  let driver: PoolDriver | undefined;
  try {
    driver = findDriver(db);
    if (driver === undefined) throw new Error('the database was not made by createDatabase');
    checks.push(...(await checkServers(driver, boundedTimeout(options.timeoutMs))));
    if (options.cache !== undefined) checks.push(...checkCache(options.cache));
  } catch (error) {
    checks.push({ name: checks.length === 0 ? 'database' : 'cache', status: 'fail', ...described(error) });
  }
  const worst = checks.reduce<HealthStatus>(
    (found, { status }) => (RANK[status] > RANK[found] ? status : found),
    'pass',
  );
  return { status: worst, checks, pool: driver?.stats };
}
