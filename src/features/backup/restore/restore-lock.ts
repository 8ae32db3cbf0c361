import { createHash } from 'node:crypto';

import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../../adapters/postgres/session.js';

/** Advisory locks are numbers of 64 bits with a sign. */
const KEY_BITS = 63;

function lockKey(database: string): string {
  const hash = createHash('sha256').update(`aisec restore ${database}`).digest();
  return BigInt.asUintN(KEY_BITS, hash.readBigUInt64BE(0)).toString();
}

/**
 * Runs the callback while no other restore works on a database of this name. The lock is held in the maintenance
 * database, since the one that is restored to does not exist yet, or is about to be renamed.
 *
 * @throws AisecError RUN_LOCKED naming the holder.
 */
export async function withRestoreLock<Result>(
  maintenance: Session,
  database: string,
  options: { readonly waitMs: number; readonly onProgress: (text: string) => void },
  run: () => Promise<Result>,
): Promise<Result> {
  return withRunLock(maintenance, { ...options, key: lockKey(database) }, run);
}
