import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** `missing`: a message without a key; `orphaned`: a key without a message; `doubled`: an id of several messages;
 * `different`: created_at or parent_id of the key is not the message's. */
export type KeyDifferenceKind = 'missing' | 'orphaned' | 'doubled' | 'different';

export interface KeyDifference {
  readonly kind: KeyDifferenceKind;
  readonly id: string;
  /** Quoted; null for an orphaned key, and for a doubled id one of several. */
  readonly partition: string | null;
}

/** Ids from `from` on, up to and without `until`; null: no end. */
interface IdRange {
  readonly from: string;
  readonly until: string | null;
}

const KEYS_A_RANGE = 250_000;
const MOST_RANGES = 4096;

function uuidOf(share: number): string {
  const first = Math.floor(share * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  return `${first}-0000-0000-0000-000000000000`;
}

/** Ranges that hold all ids, each some 250,000 keys, so that a comparison of one fits into memory. */
function idRanges(keys: number): readonly IdRange[] {
  const count = Math.min(MOST_RANGES, Math.max(1, Math.ceil(keys / KEYS_A_RANGE)));
  return Array.from({ length: count }, (_, position) => ({
    from: uuidOf(position / count),
    until: position + 1 === count ? null : uuidOf((position + 1) / count),
  }));
}

/** The number of keys as the statistics have it, or counted where the table was never analyzed. */
async function estimateKeys(session: Session): Promise<number> {
  const { rows } = await session.query<{ keys: number }>(
    `select greatest(
       reltuples, pg_catalog.pg_stat_get_live_tuples(oid), pg_catalog.pg_relation_size(oid) / 100
     )::float8 as keys
     from pg_catalog.pg_class
     where oid = 'message_keys'::regclass`,
  );
  return rows[0]?.keys ?? 0;
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
