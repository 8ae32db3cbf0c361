import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { NewLock } from './effects.js';
import { conflicts } from './lock-modes.js';

/** A session, or a prepared transaction, that has or wants a lock on a relation. */
export interface LockUser {
  /** 0: a prepared transaction. */
  readonly pid: number;
  readonly role: string;
  readonly application: string;
  /** As in pg_stat_activity: `active`, `idle in transaction` …; `prepared`. */
  readonly state: string;
  /** How old its transaction is. */
  readonly ageMs: number;
  readonly relation: string;
  /** As in pg_locks. */
  readonly mode: string;
}

export interface LockUsers {
  readonly holders: readonly LockUser[];
  /** Those who wait for this very session. */
  readonly waiters: readonly LockUser[];
}

/** Who has locks on relations of this database now, and who waits for this session. */
export async function lockUsers(session: Session): Promise<LockUsers> {
  const { rows } = await session.query<LockUser & { readonly waitsForUs: boolean }>(sqlFile('migrate/lock-users'));
  const users = (areWaiting: boolean): readonly LockUser[] =>
    rows.flatMap(({ waitsForUs, ...user }) =>
      waitsForUs === areWaiting ? [{ ...user, ageMs: Math.round(user.ageMs) }] : [],
    );
  return { holders: users(false), waiters: users(true) };
}

/** Those of the holders who and a lock of these would have to wait for each other; each session once. */
export function conflictingUsers(holders: readonly LockUser[], locks: readonly NewLock[]): readonly LockUser[] {
  const found = holders.filter((user) =>
    locks.some(({ relation, mode }) => relation === user.relation && conflicts(mode, user.mode)),
  );
  return found.filter(({ pid }, index) => found.findIndex((other) => other.pid === pid) === index);
}
