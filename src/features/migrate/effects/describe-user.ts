import { describeBlocker } from '../../../adapters/postgres/locks/blocker.js';
import { lockName } from './lock-modes.js';
import type { LockUser } from './lock-users.js';

// Apart from the query, whose text no command loads before it runs.

/** In words: `pid 4711 "psql" of role "dba", idle in transaction for 2.0 s: ACCESS SHARE on voices`. */
export function describeUser({ pid, role, application, state, ageMs, relation, mode }: LockUser): string {
  return describeBlocker({
    pid,
    role_name: role,
    application_name: application,
    state,
    age_ms: String(ageMs),
    query: `${lockName(mode)} on ${relation}`,
  });
}
