import type { Session } from '../../../../adapters/postgres/session.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import { addMonths, monthStart } from '../../../../base/month.js';
import type { Partition } from '../../partition.js';
import type { DrainSet } from './copies.js';

/** Reading fewer rows under the locks takes less time than the constraints. */
const ROWS_READ_UNDER_LOCKS = 10_000;
const PREFIX = 'message_drain_bounds_';

interface Range {
  readonly from: string;
  readonly to: string;
}

/** Ranges that meet become one. RFC 3339 texts sort as times do, between -infinity and infinity. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const joined: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = joined.at(-1);
    if (last !== undefined && last.to >= range.from && last.to !== 'infinity')
      joined[joined.length - 1] = { from: last.from, to: range.to > last.to ? range.to : last.to };
    else joined.push(range);
  }
  return joined;
}

/**
 * Shows the server by validated constraints that no row of the rest belongs to a partition, so that it need not read the
 * rest under the locks when it becomes the default partition. Returns the names, for dropping them then.
 */
export async function boundRest(
  session: Session,
  { copies }: DrainSet,
  partitions: readonly Partition[],
): Promise<readonly string[]> {
  const rest = copies.find(({ month }) => month === null);
  if (rest === undefined) return [];
  const { rows } = await session.query<{ is_large: boolean }>(
    `select pg_catalog.count(*) >= $1 as is_large from (select from only ${rest.table} limit $1) as sample`,
    [ROWS_READ_UNDER_LOCKS],
  );
  if (rows[0]?.is_large !== true) return [];
  const live = partitions.flatMap(({ root, isDefault, lowerBound, upperBound }): readonly Range[] =>
    root !== 'messages' || isDefault || lowerBound === null || upperBound === null
      ? []
      : [{ from: lowerBound, to: upperBound }],
  );
  const made = copies.flatMap(({ month }): readonly Range[] =>
    month === null ? [] : [{ from: monthStart(month), to: monthStart(addMonths(month, 1)) }],
  );
  const names: string[] = [];
  for (const [position, { from, to }] of merged([...live, ...made]).entries()) {
    const name = `${PREFIX}${position}`;
    const outside = [
      ...(from === '-infinity' ? [] : [`created_at < ${quoteLiteral(from)}`]),
      ...(to === 'infinity' ? [] : [`created_at >= ${quoteLiteral(to)}`]),
    ];
    await session.query(
      `alter table ${rest.table} add constraint ${name} check (${outside.length === 0 ? 'false' : outside.join(' or ')}) not valid`,
    );
    await session.query(`alter table ${rest.table} validate constraint ${name}`);
    names.push(name);
  }
  return names;
}
