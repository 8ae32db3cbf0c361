import type { RedisFacts } from '../../../adapters/redis/facts.js';
import { formatBytes } from '../../../base/bytes.js';
import type { AisecError } from '../../../base/errors.js';
import { describeRedis, type RedisTarget } from '../../../config/redis-target.js';
import { readRedisState, type RedisState } from '../../cache/checks.js';
import type { Check, Fault, NotApplicable, Outcome, Skip, Subject } from '../check.js';

/** The first that has SET with NX and GET, by which services agree on a token. */
const LEAST_MAJOR = 7;
const NEARLY_FULL = 0.9;

const EMBEDDED: NotApplicable = { notApplicable: 'the embedded database has one process, which needs no Redis' };
const UNSET: Skip = {
  skipped: 'REDIS_URL is not set; set it to the address that the services have, if they share a cache',
  lacksGrant: false,
};

/** Asked once a run, however many checks look at the answer. */
export async function stateOf({ redis }: Subject): Promise<RedisState | null> {
  return redis === null ? null : readRedisState(redis);
}

/** What it is called in an id: the address, without user and password. */
function objectOf({ host, port }: RedisTarget): string {
  return `${host}:${port}`;
}

/** The login went well, and an access list keeps INFO from the user. */
function mayNotAsk({ detail }: AisecError): boolean {
  return detail?.includes('NOPERM') === true;
}

function reasonOf(error: AisecError): string {
  return mayNotAsk(error) ? 'the user of REDIS_URL may not run INFO; acl setuser NAME +info allows it' : error.message;
}

async function examineReachable(subject: Subject): Promise<Outcome> {
  const { session, redis } = subject;
  if (session.info.kind === 'embedded') return EMBEDDED;
  const state = await subject.once(stateOf);
  if (redis === null || state === null) return UNSET;
  if (state.error === null || mayNotAsk(state.error)) return [];
  const { message, detail, hint } = state.error;
  return {
    object: objectOf(redis),
    message: `${message}${detail === undefined ? '' : ` (${detail.replace(/\.$/, '')})`}`,
    impact: `services continue without it, each with what it keeps itself, and read everything else from the database. ${hint ?? 'Check that Redis runs.'}`,
    fix: null,
  };
}

/** For what only a Redis that answers can be asked. */
function ofFacts(
  faultOf: (facts: RedisFacts, name: string) => Omit<Fault, 'object'> | undefined,
): (subject: Subject) => Promise<Outcome> {
  return async (subject) => {
    const { session, redis } = subject;
    if (session.info.kind === 'embedded') return EMBEDDED;
    const state = await subject.once(stateOf);
    if (redis === null || state === null) return UNSET;
    if (state.error !== null) return { skipped: reasonOf(state.error), lacksGrant: false };
    const fault = faultOf(state.facts, describeRedis(redis));
    return fault === undefined ? [] : [{ object: objectOf(redis), ...fault }];
  };
}

function versionFault({ version }: RedisFacts, name: string): Omit<Fault, 'object'> | undefined {
  if (Number.parseInt(version, 10) >= LEAST_MAJOR) return undefined;
  return {
    message: `${name} is of version ${version}, and ${LEAST_MAJOR} is needed`,
    impact: `services cannot agree on what is valid in it, and use none of it until it is updated to ${LEAST_MAJOR} or later`,
    fix: null,
  };
}

function memoryFault(facts: RedisFacts, name: string): Omit<Fault, 'object'> | undefined {
  const { usedMemoryBytes: used, maxMemoryBytes: most, evictionPolicy: policy } = facts;
  // At the limit, whatever policy evicts keeps the cache going: a token that is gone makes its entries invalid.
  if (policy !== 'noeviction') return undefined;
  const evict = 'config set maxmemory-policy allkeys-lru';
  if (most === 0)
    return {
      severity: 'notice',
      message: `${name} has no limit of memory (maxmemory 0), ${formatBytes(used)} in use`,
      impact:
        'it grows until its machine has no memory left and ends it; entries expire after ten minutes, which bounds them in practice',
      fix: `redis-cli config set maxmemory 256mb\nredis-cli ${evict}\nredis-cli config rewrite`,
    };
  const share = used / most;
  const full = share >= NEARLY_FULL ? `, ${Math.floor(share * 100)} % in use` : '';
  return {
    severity: share >= NEARLY_FULL ? 'critical' : 'warning',
    message: `${name} evicts nothing (maxmemory-policy noeviction) at its limit of ${formatBytes(most)}${full}`,
    impact: 'once it is full it refuses every write, and nothing new is cached',
    fix: `redis-cli ${evict}\nredis-cli config rewrite`,
  };
}

const NO_WRITES = 'services cannot put anything into it, nor make what has changed invalid';

function replicaFault({ isReplica }: RedisFacts, name: string): Omit<Fault, 'object'> | undefined {
  if (!isReplica) return undefined;
  return {
    message: `${name} is a replica, which refuses writes`,
    impact: `${NO_WRITES}; set REDIS_URL to the primary, here and for the services`,
    fix: null,
  };
}

function saveFault({ hasFailedToSave }: RedisFacts, name: string): Omit<Fault, 'object'> | undefined {
  if (!hasFailedToSave) return undefined;
  return {
    message: `${name} could not write its data to disk`,
    impact: `by default it then refuses every write: ${NO_WRITES}; the cache needs nothing saved`,
    fix: 'redis-cli config set save ""\nredis-cli config set appendonly no',
  };
}

export const REDIS_CHECKS: readonly Check[] = [
  {
    id: 'redis-unreachable',
    area: 'redis',
    severity: 'warning',
    title: 'the Redis of REDIS_URL cannot be reached, refuses the login, or is silent for 1.5 s',
    examine: examineReachable,
  },
  {
    id: 'redis-version',
    area: 'redis',
    severity: 'critical',
    title: `a Redis older than ${LEAST_MAJOR}`,
    examine: ofFacts(versionFault),
  },
  {
    id: 'redis-memory',
    area: 'redis',
    severity: 'warning',
    title: 'a Redis that evicts nothing at its limit of memory; critical from 90 % on, a notice without a limit',
    examine: ofFacts(memoryFault),
  },
  {
    id: 'redis-replica',
    area: 'redis',
    severity: 'critical',
    title: 'a Redis that is a replica',
    examine: ofFacts(replicaFault),
  },
  {
    id: 'redis-save',
    area: 'redis',
    severity: 'critical',
    title: 'a Redis that failed to write its data to disk',
    examine: ofFacts(saveFault),
  },
];
