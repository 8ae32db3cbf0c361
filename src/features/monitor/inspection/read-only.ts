import type { Session } from '../../../adapters/postgres/session.js';
import { rollBack } from '../../../adapters/postgres/session.js';

const INSPECTION_LOCK_TIMEOUT_MS = 200;
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * A read-only transaction that is in no way of others: it waits 200 ms for a lock at most and 10 s for a statement, finds
 * names only where the query says, and is not compiled, since that takes longer than any query of the catalog.
 */
const BEGIN = `begin transaction read only;
set local lock_timeout = ${INSPECTION_LOCK_TIMEOUT_MS};
set local statement_timeout = ${STATEMENT_TIMEOUT_MS};
set local timezone = 'UTC';
set local search_path = '';
set local jit = off`;

/**
 * Runs the callback in a short read-only transaction of its own. Every query of an inspection goes through here.
 *
 * @throws AisecError LOCK_TIMEOUT after 200 ms behind a lock, and whatever else the callback throws.
 */
export async function inReadOnly<Result>(session: Session, read: () => Promise<Result>): Promise<Result> {
  await session.query(BEGIN);
  try {
    return await read();
  } finally {
    await rollBack(session);
  }
}
