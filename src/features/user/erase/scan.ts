import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { isAisecError } from '../../../base/errors.js';
import { groupBy } from '../../../base/group-by.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Person } from '../graph/find-person.js';

/** Months move while it searches; not for ever. */
const MOST_LOOKS = 5;
const UNDEFINED_TABLE = '42P01';

export interface ScanHit {
  /** With schema. */
  readonly table: string;
  readonly column: string;
  readonly rows: number;
}

export interface Scan {
  readonly columns: number;
  readonly hits: readonly ScanHit[];
}

/** By the partition, as SQL: what was found there. */
export type SearchedParts = Readonly<Record<string, readonly ScanHit[]>>;

interface ColumnRow {
  /** A partition, or the table itself, as SQL. */
  readonly part: string;
  readonly display: string;
  readonly column: string;
  readonly kind: 'uuid' | 'uuid array' | 'text';
}

/**
 * Whether a value names the person: $1 the id, $2 the username, $3 the e-mail address. Id and address are found anywhere
 * in a text; a username, which may be a common word, only where it is the whole value, or a whole string of JSON.
 */
function names({ column, kind }: ColumnRow): string {
  const value = quoteIdentifier(column);
  if (kind === 'uuid') return `${value} = $1::text::uuid`;
  if (kind === 'uuid array') return `$1::text::uuid = any (${value})`;
  const text = `pg_catalog.lower(${value}::text)`;
  return `pg_catalog.strpos(${text}, pg_catalog.lower($1::text)) > 0
    or pg_catalog.strpos(${text}, pg_catalog.lower($3::text)) > 0
    or ${value}::text = $2::text
    or pg_catalog.strpos(${value}::text, pg_catalog.to_json($2::text)::text) > 0`;
}

/** One query a partition; undefined when the partition is not there any more: a month was moved, or pruned. */
async function searchPart(
  session: Session,
  part: string,
  columns: readonly ColumnRow[],
  { id, username, email }: Person,
): Promise<readonly ScanHit[] | undefined> {
  const counts = columns.map((each, index) => `pg_catalog.count(*) filter (where ${names(each)}) as hits_${index}`);
  try {
    const { rows } = await session.query<Record<string, string>>(
      // Each parameter has its type even where no column of the table is a text.
      `select ${counts.join(', ')} from only ${part} where $1::text is not null and $2::text is not null and $3::text is not null`,
      [id, username, email],
    );
    return columns.flatMap(({ display, column }, index) => {
      const count = Number(rows[0]?.[`hits_${index}`] ?? 0);
      return count === 0 ? [] : [{ table: display, column, rows: count }];
    });
  } catch (error) {
    if (isAisecError(error) && error.sqlState === UNDEFINED_TABLE) return undefined;
    throw error;
  }
}

/** The hits of all partitions, one for each column of a table. */
function byColumn(hits: readonly ScanHit[]): readonly ScanHit[] {
  const groups = groupBy(hits, ({ table, column }) => `${table} ${column}`);
  return [...groups.values()].map((same) => ({
    ...(same[0] as ScanHit),
    rows: same.reduce((sum, { rows }) => sum + rows, 0),
  }));
}

/**
 * Searches every column that can hold the id, the username or the address, in all schemas, live and archived.
 *
 * @param searched what an earlier run has searched already
 * @param onSearched called with all that is searched, after each partition
 */
export async function scanForPerson(
  session: Session,
  person: Person,
  onProgress: (text: string) => void,
  searched: SearchedParts = {},
  onSearched: (searched: SearchedParts) => Promise<void> = () => Promise.resolve(),
): Promise<Scan> {
  let done = searched;
  for (let look = 0; ; look += 1) {
    const { rows: columns } = await session.query<ColumnRow>(sqlFile('user/scanned-columns'));
    let isComplete = true;
    for (const [part, own] of groupBy(columns, (each) => each.part)) {
      if (done[part] !== undefined) continue;
      onProgress(`searching ${part}`);
      const hits = await searchPart(session, part, own, person);
      isComplete &&= hits !== undefined;
      if (hits === undefined) continue;
      done = { ...done, [part]: hits };
      await onSearched(done);
    }
    if (!isComplete && look < MOST_LOOKS) continue;
    const all = new Set(columns.map(({ display, column }) => `${display}.${column}`));
    return { columns: all.size, hits: byColumn(Object.values(done).flat()) };
  }
}
