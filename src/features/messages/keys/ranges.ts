import type { Session } from '../../../adapters/postgres/session.js';

/** Ids from `from` on, up to and without `until`; null: no end. */
export interface IdRange {
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
export function idRanges(keys: number): readonly IdRange[] {
  const count = Math.min(MOST_RANGES, Math.max(1, Math.ceil(keys / KEYS_A_RANGE)));
  return Array.from({ length: count }, (_, position) => ({
    from: uuidOf(position / count),
    until: position + 1 === count ? null : uuidOf((position + 1) / count),
  }));
}

/** The number of keys as the statistics have it, or counted where the table was never analyzed. */
export async function estimateKeys(session: Session): Promise<number> {
  const { rows } = await session.query<{ keys: number }>(
    `select greatest(
       reltuples, pg_catalog.pg_stat_get_live_tuples(oid), pg_catalog.pg_relation_size(oid) / 100
     )::float8 as keys
     from pg_catalog.pg_class
     where oid = 'message_keys'::regclass`,
  );
  return rows[0]?.keys ?? 0;
}
