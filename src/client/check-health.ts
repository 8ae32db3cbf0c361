import { findDriver } from '../adapters/postgres/pool/pool-dialect.js';
import type { PoolDriver, PoolStats } from '../adapters/postgres/pool/pool-driver.js';
import { AisecError, messageOf } from '../base/errors.js';
import type { AnyDatabase } from './any-database.js';
import { checkOptions } from './check-arguments.js';
import type { Cache } from './create-cache.js';

export interface HealthOptions {
  readonly cache?: Pick<Cache, 'status'>;
  /** The longest that the answer takes. Default: 2 s. */
  readonly timeoutMs?: number;
}

const OPTIONS: Readonly<Record<keyof HealthOptions, true>> = { cache: true, timeoutMs: true };

/** As in https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check */
export type HealthStatus = 'pass' | 'warn' | 'fail';

export interface HealthCheck {
  /** `database`, `cache`, `redis`, or `replica host:port`. */
  readonly name: string;
  readonly status: HealthStatus;
  readonly durationMs?: number;
  /** What is wrong. It may name the server and the role; it never has a password. */
  readonly message?: string;
  readonly hint?: string;
}

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

/** Probes that run: callers meanwhile share one. */
const probes = new WeakMap<PoolDriver, { readonly timeoutMs: number; readonly answer: Promise<HealthCheck> }>();

function described(error: unknown): Pick<HealthCheck, 'message' | 'hint'> {
  const hint = error instanceof AisecError ? error.hint : undefined;
  return { message: messageOf(error), ...(hint !== undefined && { hint }) };
}

async function askDatabase(driver: PoolDriver, timeoutMs: number): Promise<HealthCheck> {
  const name = 'database';
  const { durationMs, error, isBusy, isSilent, isReadOnly } = await driver.probe(timeoutMs);
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
  if (isReadOnly !== true) return { name, status: 'pass', durationMs };
  const hint = 'A standby is not promoted yet, or default_transaction_read_only is set.';
  return { name, status: 'warn', durationMs, message: 'the database accepts no writes', hint };
}

async function checkDatabase(driver: PoolDriver, timeoutMs: number): Promise<HealthCheck> {
  const running = probes.get(driver);
  if (running !== undefined && running.timeoutMs <= timeoutMs) return running.answer;
  const answer = askDatabase(driver, timeoutMs).finally(() => probes.delete(driver));
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

function checkReplicas({ replicas }: PoolStats): readonly HealthCheck[] {
  return replicas.map(({ host, port, isUsed }) => ({
    name: `replica ${host}:${port}`,
    ...(isUsed
      ? { status: 'pass' as const }
      : { status: 'warn' as const, message: 'it failed a moment ago and is left out: the primary serves its reads' }),
  }));
}

function boundedTimeout(timeoutMs: number | undefined): number {
  const wanted = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return Number.isFinite(wanted) ? Math.min(Math.max(1, wanted), LONGEST_TIMEOUT_MS) : DEFAULT_TIMEOUT_MS;
}

/**
 * Whether a service can do its work now: for a readiness probe, which takes it out of the load balancer. It is not for a liveness probe: a restart of
 * the service does not bring its database back. Asks the server one question over a connection of the pool, within
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
    checks.push(await checkDatabase(driver, boundedTimeout(options.timeoutMs)), ...checkReplicas(driver.stats));
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
