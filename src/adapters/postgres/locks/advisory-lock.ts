import { AisecError } from '../../../base/errors.js';
import { formatDurationMs } from '../../../base/duration.js';
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

async function tryLock(session: Session, key: string): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>('select pg_catalog.pg_try_advisory_lock($1) as locked', [
    key,
  ]);
  return rows[0]?.locked === true;
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
  const key = options.key ?? RUN_LOCK_KEY;
  const deadline = performance.now() + options.waitMs;
  let isTold = false;
  while (!(await tryLock(session, key))) {
    const holder = await describeHolder(session, key);
    if (performance.now() >= deadline) {
      throw new AisecError('RUN_LOCKED', `another run is at work on ${session.info.label}`, {
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
    await session.cleanUp('select pg_catalog.pg_advisory_unlock($1)', [key]).catch(() => undefined);
  }
}
