import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { estimateKeys, idRanges } from './ranges.js';

/** `missing`: a message without a key; `orphaned`: a key without a message; `doubled`: an id of several messages;
 * `different`: created_at or parent_id of the key is not the message's. */
export type KeyDifferenceKind = 'missing' | 'orphaned' | 'doubled' | 'different';

export interface KeyDifference {
  readonly kind: KeyDifferenceKind;
  readonly id: string;
  /** Quoted; null for an orphaned key, and for a doubled id one of several. */
  readonly partition: string | null;
}

/**
 * Compares the registry of keys with every message, live and archived, a range of ids at a time: memory does not grow with
 * the table. Or all ids at once, which reads each table once and spills to disk. Reads only.
 *
 * @throws AisecError PRIVILEGE_MISSING when the role may not see every row.
 */
export async function* compareKeys(
  session: Session,
  onProgress: (text: string) => void,
  isAtOnce = false,
): AsyncGenerator<readonly KeyDifference[]> {
  const ranges = idRanges(isAtOnce ? 0 : await estimateKeys(session));
  for (const [position, { from, until }] of ranges.entries()) {
    if (ranges.length > 1) onProgress(`comparing the keys, ${Math.floor((position / ranges.length) * 100)} %`);
    yield await withTransaction(session, async () => {
      // A policy that hides rows would make keys look orphaned; now it is an error.
      await session.query(`set transaction read only; set local row_security to off; set local work_mem to '64MB'`);
      const { rows } = await session.query<KeyDifference>(sqlFile('keys/differences'), [from, until]);
      return rows;
    });
  }
}
