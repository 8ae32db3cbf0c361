import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { median } from '../../../base/median.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { LogicalTable } from '../table-sizes.js';
import type { Range } from './forecast.js';
import { dailyRate, type SizeAt } from './rate.js';
import type { SizeRecord } from './records.js';

export interface OthersRate {
  readonly source: 'records' | 'created_at';
  readonly tables: readonly string[];
  readonly bytesPerDay: Range;
}

interface CreatedRow {
  readonly table_name: string;
  readonly days: number;
  readonly shares: readonly number[];
  readonly share_error: number;
}

/** What the months of messages are made of. */
export const MESSAGE_TABLES: readonly string[] = ['messages', 'messages_archive', 'message_keys'];
/** Of a third. Shorter ones are of working days or of none. */
const LEAST_DAYS = 7;

/** Records in which one of the three is missing, since it was locked, say nothing about the rest. */
function othersOf(records: readonly SizeRecord[]): readonly SizeAt[] {
  return records.flatMap(({ measuredAt, databaseBytes, tableBytes }) => {
    const messages = MESSAGE_TABLES.map((table) => tableBytes[table]).filter((size) => size !== undefined);
    if (messages.length < MESSAGE_TABLES.length) return [];
    const sizeBytes = databaseBytes - messages.reduce((sum, size) => sum + size, 0);
    return [{ atMs: Date.parse(measuredAt), sizeBytes }];
  });
}

/**
 * From the statistics, which costs nothing: of each table's size, the part that its rows of a third of the last 90 days are.
 * One import lies in one third, and does not move the median of the three.
 */
async function createdRate(
  session: Session,
  schema: string,
  tables: readonly LogicalTable[],
): Promise<OthersRate | undefined> {
  const sizes = new Map(
    tables.filter(({ table }) => !MESSAGE_TABLES.includes(table)).map(({ table, totalBytes }) => [table, totalBytes]),
  );
  const { rows } = await inReadOnly(session, () =>
    session.query<CreatedRow>(sqlFile('monitor/created-shares'), [schema, [...sizes.keys()]]),
  );
  const known = rows.filter(({ days }) => days >= LEAST_DAYS);
  if (known.length === 0) return undefined;
  const total = (share: (row: CreatedRow) => number): number =>
    Math.round(known.reduce((sum, row) => sum + ((sizes.get(row.table_name) ?? 0) * share(row)) / row.days, 0));
  return {
    source: 'created_at',
    tables: known.map((row) => row.table_name),
    bytesPerDay: {
      low: total(({ shares, share_error: error }) => Math.max(0, Math.min(...shares) - error)),
      expected: total(({ shares }) => median(shares)),
      high: total(({ shares, share_error: error }) => Math.max(...shares) + error),
    },
  };
}

/** What everything but messages adds; undefined when neither records nor statistics say. */
export async function othersRate(
  session: Session,
  schema: string,
  { records, tables }: { readonly records: readonly SizeRecord[]; readonly tables: readonly LogicalTable[] },
): Promise<OthersRate | undefined> {
  const recorded = dailyRate(othersOf(records));
  if (recorded !== undefined) return { source: 'records', tables: [], bytesPerDay: recorded };
  return createdRate(session, schema, tables);
}
