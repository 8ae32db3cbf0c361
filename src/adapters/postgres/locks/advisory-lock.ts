import { createHash } from 'node:crypto';

import { AisecError } from '../../../base/errors.js';
import { formatDurationMs } from '../../../base/duration.js';
import { nameInSql } from '../../../base/identifier.js';
import { sleep } from '../../../base/interruption.js';
import type { Session } from '../session.js';
import { sqlFile } from '../sql-file.js';

/** node-pg-migrate's own key (PG_MIGRATE_LOCK_ID), so that its command line and ours lock each other out, too. */
export const RUN_LOCK_KEY = '7241865325823964';
const POLL_MS = 250;

interface HolderRow {
  readonly pid: number;
  readonly role_name: string;
  readonly application_name: string;
  readonly client_address: string | null;
  readonly age_ms: string;
}

/** The advisory locks that stay with a session when all else is taken from it: an array of bigint, as text. */
export function keptLocks(session: Pick<Session, 'schemaLock'>): string {
  return `{${[RUN_LOCK_KEY, session.schemaLock?.lockKey].filter((key) => key !== undefined).join(',')}}`;
}

export interface RunLockOptions {
  /** 0: do not wait for another run. */
  readonly waitMs: number;
  /** What the lock is about, when it is not the database itself: a number of 64 bits, as text. */
  readonly key?: string;
  /** Called once, when another run is waited for. */
  readonly onProgress?: (text: string) => void;
}

async function describeHolder(session: Session, key: string): Promise<string> {
  const { rows } = await session.query<HolderRow>(sqlFile('session/advisory-lock-holders'), [key]);
  const [holder] = rows;
  if (holder === undefined) return 'another session that has just ended';
  const program = holder.application_name === '' ? 'a session' : `"${holder.application_name}"`;
  const from = holder.client_address === null ? '' : ` from ${holder.client_address}`;
  return `${program} of role "${holder.role_name}"${from} (pid ${holder.pid}, connected for ${formatDurationMs(Number(holder.age_ms))})`;
}

interface WantedLock {
  readonly key: string;
  /** Held by many sessions at once, which exclude those that want it alone. */
  readonly isShared: boolean;
}

/** The lock of one schema, where runs work in several at once: 63 bits of the name's hash, as text. */
export function schemaLockKey(schema: string): string {
  return (createHash('sha256').update(`aisec schema ${schema}`).digest().readBigUInt64BE(0) >> 1n).toString();
}

/**
 * A run that works within its schema shares the lock of the database with its like, and takes that of the schema alone: so
 * runs over tenants exclude one another schema by schema, and what works on all of the database, such as a backup, as a whole.
 */
function locksOf(session: Session, key: string): readonly WantedLock[] {
  const own = session.schemaLock?.lockKey;
  if (own === undefined || key !== RUN_LOCK_KEY) return [{ key, isShared: false }];
  return [
    { key, isShared: true },
    { key: own, isShared: false },
  ];
}

async function tryLock(session: Session, { key, isShared }: WantedLock): Promise<boolean> {
  const take = isShared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
  const { rows } = await session.query<{ locked: boolean }>(`select pg_catalog.${take}($1) as locked`, [key]);
  return rows[0]?.locked === true;
}

async function unlock(session: Session, locks: readonly WantedLock[]): Promise<void> {
  for (const { key, isShared } of locks.toReversed()) {
    const give = isShared ? 'pg_advisory_unlock_shared' : 'pg_advisory_unlock';
    await session.cleanUp(`select pg_catalog.${give}($1)`, [key]).catch(() => undefined);
  }
}

/** Takes all of them or none; returns the one that another session holds. */
async function tryAll(session: Session, locks: readonly WantedLock[]): Promise<WantedLock | undefined> {
  for (const [position, lock] of locks.entries()) {
    if (await tryLock(session, lock)) continue;
    await unlock(session, locks.slice(0, position));
    return lock;
  }
  return undefined;
}

/**
 * Runs the callback while this session holds the one lock of everything that changes the database.
 *
 * A session lock on the working connection: it goes when the connection goes, and while an orphaned backend still
 * works, it still holds it. Waiting is polling, never a blocked pg_advisory_lock(): a blocked one holds a snapshot that
 * CREATE INDEX CONCURRENTLY of the holder would wait for, a deadlock. The embedded database has its directory lock.
 *
 * @throws AisecError RUN_LOCKED naming the holder.
 */
export async function withRunLock<Result>(
  session: Session,
  options: RunLockOptions,
  run: () => Promise<Result>,
): Promise<Result> {
  if (session.info.kind === 'embedded') return run();
  const locks = locksOf(session, options.key ?? RUN_LOCK_KEY);
  const deadline = performance.now() + options.waitMs;
  let isTold = false;
  for (let taken = await tryAll(session, locks); taken !== undefined; taken = await tryAll(session, locks)) {
    const holder = await describeHolder(session, taken.key);
    if (performance.now() >= deadline) {
      const { info, schemaLock: own } = session;
      const what = own?.lockKey === taken.key ? `schema ${nameInSql(own.name)} of ${info.label}` : info.label;
      throw new AisecError('RUN_LOCKED', `another run is at work on ${what}`, {
        detail: `The lock is held by ${holder}.`,
        hint: 'Try again when it is done, or give --wait 5m to wait for it.',
      });
    }
    if (!isTold) options.onProgress?.(`waiting for ${holder}`);
    isTold = true;
    await sleep(Math.min(POLL_MS, Math.max(1, deadline - performance.now())), session.signal);
  }
  try {
    return await run();
  } finally {
    await unlock(session, locks);
  }
}
