import { notSeen } from '../inspection/skip.js';
import { DAY_MS } from '../../../base/duration.js';
import type { Finding } from '../../../base/finding.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { monitorPartitions, type PartitionsReport } from '../partitions.js';
import type { Report } from '../report.js';
import { readTableSizes, type LogicalTable } from '../table-sizes.js';
import { readDatabaseBytes } from './database-size.js';
import {
  forecastGrowth,
  forecastLimit,
  type Forecast,
  type ForecastBasis,
  type LimitForecast,
  type Range,
} from './forecast.js';
import { monthSizes, type MonthOfMessages } from './month-sizes.js';
import { MESSAGE_TABLES, othersRate } from './others.js';
import { readRecords, RECORDS_DAYS, type SizeRecord } from './records.js';
import { tableGrowth, type TableGrowth } from './table-growth.js';

export interface GrowthOptions {
  readonly schema: string;
  /** Months after the current one. */
  readonly ahead: number;
  /** A size of the whole database; null: none is asked about. */
  readonly limitBytes: number | null;
}

/** Where the growth of everything else is known from: the records, or else the created_at of these tables. */
export interface OthersFrom {
  readonly source: 'records' | 'created_at';
  readonly tables: readonly string[];
}

export interface GrowthReport extends Report {
  readonly databaseBytes: number;
  /** Everything but messages, messages_archive and message_keys. */
  readonly othersBytes: number;
  /** What the forecast takes everything else to add; null: nothing, since nothing is known of it. */
  readonly othersBytesPerDay: Range | null;
  readonly othersFrom: OthersFrom | null;
  /** From the first month with a message to the current one. */
  readonly months: readonly MonthOfMessages[];
  /** Null with a reason in `skipped` when there are too few closed months. */
  readonly forecast: Forecast | null;
  readonly limit: LimitForecast | null;
  /** One a day, as `monitor record` wrote them down. */
  readonly records: readonly Omit<SizeRecord, 'tableBytes'>[];
  /** Those that have grown most first; empty without records. */
  readonly tables: readonly TableGrowth[];
}

const STILL: Range = { low: 0, expected: 0, high: 0 };

/** Every message has a row in message_keys: each month carries its part of that table. */
function withKeys(months: readonly MonthOfMessages[], tables: readonly LogicalTable[]): readonly MonthOfMessages[] {
  const keys = tables.find(({ table }) => table === 'message_keys');
  if (keys === undefined || keys.rows === null || keys.rows === 0) return months;
  const bytesPerKey = keys.totalBytes / keys.rows;
  return months.map((month) => ({
    ...month,
    sizeBytes: Math.round(month.sizeBytes + (month.rows ?? 0) * bytesPerKey),
  }));
}

function tooFew(months: readonly MonthOfMessages[]): Finding {
  const closed = months.filter(({ state }) => state === 'closed').length;
  const reason = `not enough data: ${closed === 0 ? 'no closed month' : `${closed} closed month`} with messages, 2 are needed`;
  return notSeen('forecast', reason, null);
}

/**
 * How fast the database grows and how large it will be: from the closed months of messages and messages_archive, which
 * are there without any history, and for everything else from the records of `monitor record`, or else from created_at.
 *
 * @param known what was just read for other reports
 * @throws AisecError MIGRATION_PENDING when the tables of messages are not there.
 */
export async function monitorGrowth(
  session: Session,
  options: GrowthOptions,
  known?: { readonly partitions: PartitionsReport; readonly tables: readonly LogicalTable[] },
): Promise<GrowthReport> {
  const { schema, ahead, limitBytes } = options;
  const partitions = known?.partitions ?? (await monitorPartitions(session, schema));
  const { currentMonth, months: _months, monthsAhead: _ahead, skipped: _skipped, ...header } = partitions;
  const tables = known?.tables ?? (await readTableSizes(session, schema));
  const databaseBytes = await readDatabaseBytes(session);
  const nowMs = Date.parse(partitions.takenAt);
  const { records, skip } = await readRecords(session, schema, new Date(nowMs - RECORDS_DAYS * DAY_MS));
  const months = withKeys(monthSizes(partitions), tables);
  const others = await othersRate(session, schema, { records, tables });
  const basis: ForecastBasis = {
    closed: months.filter(({ state }) => state === 'closed'),
    nowMs,
    currentMonth,
    databaseBytes,
    othersBytesPerDay: others?.bytesPerDay ?? STILL,
    ahead,
  };
  const forecast = forecastGrowth(basis);
  const messagesBytes = tables
    .filter(({ table }) => MESSAGE_TABLES.includes(table))
    .reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  return {
    ...header,
    skipped: [...(skip === null ? [] : [skip]), ...(forecast === undefined ? [tooFew(months)] : [])],
    databaseBytes,
    othersBytes: Math.max(0, databaseBytes - messagesBytes),
    othersBytesPerDay: others?.bytesPerDay ?? null,
    othersFrom: others === undefined ? null : { source: others.source, tables: others.tables },
    months,
    forecast: forecast ?? null,
    limit: limitBytes === null ? null : (forecastLimit(basis, limitBytes) ?? null),
    records: records.map(({ measuredAt, databaseBytes: bytes }) => ({ measuredAt, databaseBytes: bytes })),
    tables: tables
      .flatMap(({ table }) => tableGrowth(records, table) ?? [])
      .toSorted((one, other) => other.grownBytes - one.grownBytes),
  };
}
