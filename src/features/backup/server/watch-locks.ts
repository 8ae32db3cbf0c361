import { describeBlocker, type BlockerRow } from '../../../adapters/postgres/locks/blocker.js';
import type { SideConnection } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { lookEvery } from './look-every.js';

const LOOK_EVERY_MS = 500;

type SessionRow = Omit<BlockerRow, 'age_ms'>;

interface WaitedForRow extends SessionRow {
  readonly waits_for_us: boolean;
}

export interface LockWatch {
  /** Whom pg_dump waited for when it was last looked at, one description each. */
  readonly blockers: () => readonly string[];
  readonly stop: () => Promise<void>;
}

function described(row: SessionRow): string {
  return describeBlocker({ ...row, age_ms: null });
}

/** The sessions that wait for our own one (`pid`), one description each. */
export async function waitingFor(side: SideConnection, pid: number): Promise<readonly string[]> {
  return (await side.query<SessionRow>(sqlFile('backup/waits-for-us'), [pid])).map(described);
}

/**
 * Reads whom the sessions called `applicationName` wait for. A session that waits for our own session (`pid`) while
 * pg_dump waits for it would wait for ever, which PostgreSQL cannot see: `onDeadlock` is called.
 */
export function watchLocks(
  side: SideConnection,
  { applicationName, pid }: { readonly applicationName: string; readonly pid: number },
  onDeadlock: () => void,
): LockWatch {
  let blockers: readonly string[] = [];
  const lookOnce = async (): Promise<void> => {
    const rows = await side.query<WaitedForRow>(sqlFile('backup/blockers'), [applicationName, pid]);
    if (rows.length > 0) blockers = rows.map(described);
    if (rows.some((row) => row.waits_for_us)) onDeadlock();
  };
  const { stop } = lookEvery(LOOK_EVERY_MS, lookOnce);
  return { blockers: () => blockers, stop };
}
