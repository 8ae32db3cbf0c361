import type { LockBudget } from '../../adapters/postgres/locks/lock-budget.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { sleep } from '../../base/interruption.js';

const POLL_MS = 100;
/** What a statement of an application may need: also when nothing is left of the time to wait. */
const LEAST_WAIT_MS = 2000;

interface OlderRow {
  readonly moment: string;
  readonly key: string | null;
  readonly description: string | null;
}

async function readOlder(
  session: Session,
  moment: string | null,
): Promise<{ readonly moment: string; readonly older: ReadonlyMap<string, string> }> {
  const { rows } = await session.query<OlderRow>(sqlFile('messages/older-snapshots'), [moment]);
  const older = new Map(
    rows.flatMap(({ key, description }) => (key === null ? [] : [[key, description ?? ''] as const])),
  );
  return { moment: rows[0]?.moment ?? '', older };
}

/**
 * Waits until no transaction is left that may have an MVCC snapshot from before this call: from then on every reader
 * sees what this session has committed, so that what is obsolete can be dropped (as CREATE INDEX CONCURRENTLY does).
 * Call it outside of a transaction. Transactions that begin meanwhile are not waited for. The embedded database has one
 * session and needs no wait.
 *
 * @param budget bounds the wait, and pays for it
 * @param onWait called with the oldest one, whenever another has become the oldest
 * @throws AisecError LOCK_TIMEOUT naming the session, when one is left at the end of the budget.
 */
export async function waitForOlderSnapshots(
  session: Session,
  budget: LockBudget,
  onWait: (description: string) => void,
): Promise<void> {
  if (session.info.kind === 'embedded') return;
  const startedMs = performance.now();
  const deadlineMs = startedMs + Math.max(budget.leftMs, LEAST_WAIT_MS);
  let reported = '';
  const { moment, older } = await readOlder(session, null);
  let left = older;
  while (left.size > 0) {
    const [[key, description] = ['', '']] = left;
    if (performance.now() >= deadlineMs)
      throw new AisecError('LOCK_TIMEOUT', 'an older transaction may still have to read what is to be dropped', {
        detail: `Waited for ${description}.`,
        hint: 'No message is lost: run it again when that transaction has ended, or give a longer --max-wait.',
      });
    if (key !== reported) onWait(`waiting for an older transaction: ${description}`);
    reported = key;
    await sleep(Math.min(POLL_MS, Math.max(1, deadlineMs - performance.now())), session.signal);
    const now = await readOlder(session, moment);
    left = new Map([...left].filter(([seen]) => now.older.has(seen)));
  }
  budget.spend(performance.now() - startedMs);
}
