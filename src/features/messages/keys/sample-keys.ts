import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { addMonths, monthStart, parseMonth } from '../../../base/month.js';
import { coversAnyOf, qualifiedName, type Partition, type PartitionSet, type Root } from '../partition.js';

/** What was compared of one partition, or of the keys of one month, and how much of it was wrong. */
export interface KeySample {
  /** `message_keys`: keys without their message; else messages of that table without an equal key. */
  readonly source: Root | 'message_keys';
  /** Of a partition its name, of keys their month. */
  readonly name: string;
  readonly sampled: number;
  readonly wrong: number;
  /** An id that is wrong. */
  readonly example: string | null;
}

// The cost has a bound, whatever the number of messages: some 8 pages of each partition, 200 pages of message_keys, and an
// index look-up for each message of those pages and for 20 keys of each month. A partition that was truncated, dropped or
// loaded without triggers is wrong in all its pages or in many; single wrong messages are for `partitions check --keys`.
const PAGES_OF_PARTITION = 8;
const PAGES_OF_KEYS = 200;
const KEYS_OF_MONTH = 20;
const MOST_MONTHS = 300;

interface Range {
  readonly from: string;
  readonly until: string;
  /** Percent. */
  readonly shares: Record<Root, number>;
  ids: readonly string[];
}

type Probe = Omit<KeySample, 'name'>;
type ShareOf = (table: { readonly schema: string; readonly name: string }, pages: number) => number;

/** TABLESAMPLE takes percent; what is smaller than the sample is read as a whole. */
async function readShares(session: Session): Promise<ShareOf> {
  const { rows } = await session.query<{ schema: string; name: string; pages: number }>(sqlFile('keys/sizes'));
  const sizes = new Map(rows.map((row) => [qualifiedName(row), row.pages]));
  return (table, wanted) => {
    const pages = sizes.get(qualifiedName(table)) ?? 0;
    return pages === 0 ? 0 : Math.min(100, (100 * wanted) / pages);
  };
}

/** The range between two times, made when it is not there yet. */
function rangeIn(ranges: Map<string, Range>, from: string, until: string): Range {
  const range = ranges.get(`${from}/${until}`) ?? {
    from,
    until,
    shares: { messages: 0, messages_archive: 0 },
    ids: [],
  };
  ranges.set(`${from}/${until}`, range);
  return range;
}

function rangesOf(partitions: readonly Partition[], shareOf: ShareOf): Map<string, Range> {
  const ranges = new Map<string, Range>();
  for (const partition of partitions) {
    const { lowerBound: from, upperBound: until, root } = partition;
    if (from === null || until === null) continue;
    rangeIn(ranges, from, until).shares[root] = shareOf(partition, PAGES_OF_PARTITION);
  }
  return ranges;
}

/** A range of time cannot name the default partition, so it is read by its own name. */
async function probeDefault(session: Session, partition: Partition, share: number): Promise<KeySample> {
  const { rows } = await session.query<Omit<Probe, 'source'>>(
    `select
       pg_catalog.count(*)::float8 as sampled,
       (pg_catalog.count(*) filter (where key.is_found is null))::float8 as wrong,
       pg_catalog.min(message.id::text) filter (where key.is_found is null) as example
     from only ${qualifiedName(partition)} as message tablesample system ($1::real)
     left join lateral (
       select true as is_found
       from message_keys
       where message_keys.id = message.id
         and message_keys.created_at = message.created_at
         and message_keys.parent_id is not distinct from message.parent_id
       limit 1
     ) as key on true`,
    [share],
  );
  return { source: partition.root, name: partition.name, ...(rows[0] ?? { sampled: 0, wrong: 0, example: null }) };
}

/**
 * Compares some messages of each partition with their keys, and some keys of each month with their messages. What it finds is
 * wrong; what it does not find may be. Months whose partition a broken-off DETACH hides are left out.
 *
 * @throws AisecError PRIVILEGE_MISSING when the role may not see every row.
 */
export async function sampleKeys(
  session: Session,
  { schema, set }: { readonly schema: string; readonly set: PartitionSet },
): Promise<readonly KeySample[]> {
  const shareOf = await readShares(session);
  const partitions = set.partitions.filter(({ isDetachPending }) => !isDetachPending);
  const hidden = set.partitions.filter(({ isDetachPending }) => isDetachPending);
  const ranges = rangesOf(partitions, shareOf);
  const { rows: keys } = await session.query<{ month: string; ids: readonly string[] }>(sqlFile('keys/sample'), [
    shareOf({ schema, name: 'message_keys' }, PAGES_OF_KEYS),
    KEYS_OF_MONTH,
    MOST_MONTHS,
  ]);
  for (const { month: text, ids } of keys) {
    const month = parseMonth(text);
    if (month === undefined || hidden.some((partition) => coversAnyOf(partition, month))) continue;
    // A month without a partition is a range, too.
    rangeIn(ranges, monthStart(month), monthStart(addMonths(month, 1))).ids = ids;
  }
  const samples: KeySample[] = [];
  for (const { from, until, shares, ids } of ranges.values()) {
    const { rows } = await session.query<Probe>(sqlFile('keys/probe'), [
      from,
      until,
      shares.messages,
      shares.messages_archive,
      ids,
    ]);
    const nameOf = (source: Probe['source']): string =>
      partitions.find((one) => one.root === source && one.lowerBound === from && one.upperBound === until)?.name ??
      from.slice(0, 7);
    samples.push(...rows.map((row) => ({ ...row, name: nameOf(row.source) })));
  }
  for (const partition of partitions.filter(({ isDefault }) => isDefault))
    samples.push(await probeDefault(session, partition, shareOf(partition, PAGES_OF_PARTITION)));
  return samples;
}
