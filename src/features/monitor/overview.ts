import type { Session } from '../../adapters/postgres/session.js';
import type { Finding } from '../../base/finding.js';
import type { Month } from '../../base/month.js';
import { monitorActivity, type ActivityReport, type MonitoredSession } from './activity.js';
import { defaultRows, takeReadings, type DefaultRows, type Readings } from './export/readings.js';
import { judgeReadings } from './export/verdict.js';
import type { Forecast } from './growth/forecast.js';
import type { Thresholds } from './live/thresholds.js';
import type { MonitoredMonth } from './partitions.js';
import type { Report } from './report.js';
import type { MonitoredTable } from './tables.js';
import { monitorVacuum, type VacuumReport } from './vacuum.js';

/** Partitions of one table with rows of past, present or coming months. */
export interface MonthsOverview {
  readonly partitions: number;
  readonly totalBytes: number;
  /** Null when no partition has a month. */
  readonly firstMonth: Month | null;
  readonly lastMonth: Month | null;
}

export interface OverviewReport extends Report {
  readonly databaseName: string;
  readonly databaseBytes: number;
  /** What a coming month of messages adds; null for want of closed months. */
  readonly monthlyBytes: Forecast['monthlyBytes'] | null;
  readonly tables: {
    readonly count: number;
    readonly totalBytes: number;
    /** Largest first, partitions counted with their table; at most five. */
    readonly largest: readonly Omit<MonitoredTable, 'partitions'>[];
  };
  readonly messages: MonthsOverview & {
    readonly currentMonth: Month;
    readonly monthsAhead: number;
    readonly missingMonths: readonly Month[];
    /** Null without a default partition, or when it could not be measured. */
    readonly default: DefaultRows | null;
  };
  readonly archive: MonthsOverview;
  readonly connections: ActivityReport['connections'];
  /** The transaction that is open for longest; null when there is none. */
  readonly longestTransaction: MonitoredSession | null;
  readonly vacuum: {
    /** Tables and partitions that autovacuum has to visit by its own settings. */
    readonly due: number;
    readonly running: number;
    /** Of the oldest table; null when there is none. */
    readonly xidAge: number | null;
  };
  /** What is wrong with months, the default partition, the size, or the server now, the worst first. The rest is doctor's. */
  readonly findings: readonly Finding[];
}

const SHOWN_TABLES = 5;

function monthsOf(months: readonly MonitoredMonth[], table: MonitoredMonth['table']): MonthsOverview {
  const own = months.filter((part) => part.table === table && part.partition !== null);
  const dated = own.flatMap(({ month }) => (month === null ? [] : [month])).toSorted();
  return {
    partitions: own.length,
    totalBytes: own.reduce((sum, { totalBytes }) => sum + (totalBytes ?? 0), 0),
    firstMonth: dated.at(0) ?? null,
    lastMonth: dated.at(-1) ?? null,
  };
}

function messagesOf(readings: Readings): OverviewReport['messages'] {
  const { months, currentMonth, monthsAhead } = readings.partitions;
  const missing = months.filter(({ state }) => state === 'missing');
  return {
    ...monthsOf(months, 'messages'),
    currentMonth,
    monthsAhead,
    missingMonths: missing.flatMap(({ month }) => (month === null ? [] : [month])),
    default: defaultRows(readings) ?? null,
  };
}

function vacuumOf({ tables, running }: VacuumReport): OverviewReport['vacuum'] {
  const ages = tables.flatMap(({ xidAge }) => (xidAge === null ? [] : [xidAge]));
  return {
    due: tables.reduce((sum, table) => sum + table.vacuumsDue, 0),
    running: running.length,
    xidAge: ages.length === 0 ? null : Math.max(...ages),
  };
}

/**
 * What there is to know at a glance, made of the other reports.
 *
 * @throws AisecError MIGRATION_PENDING when there are no tables of messages.
 */
export async function monitorOverview(
  session: Session,
  schema: string,
  thresholds: Thresholds,
): Promise<OverviewReport> {
  const readings = await takeReadings(session, { schema, limitBytes: null, thresholds });
  const activity = await monitorActivity(session, schema);
  const vacuum = await monitorVacuum(session, schema, false);
  const { tables, partitions, growth, databaseName } = readings;
  const { tables: all, totalBytes, skipped, ...header } = tables;
  return {
    ...header,
    skipped: [
      ...skipped,
      ...partitions.skipped,
      ...growth.skipped,
      ...readings.live.skipped,
      ...activity.skipped,
      ...vacuum.skipped,
    ],
    databaseName,
    databaseBytes: growth.databaseBytes,
    monthlyBytes: growth.forecast?.monthlyBytes ?? null,
    tables: {
      count: all.length,
      totalBytes,
      largest: all.slice(0, SHOWN_TABLES).map(({ partitions: _partitions, ...table }) => table),
    },
    messages: messagesOf(readings),
    archive: monthsOf(partitions.months, 'messages_archive'),
    connections: activity.connections,
    longestTransaction: activity.sessions.find(({ transactionMs }) => transactionMs !== null) ?? null,
    vacuum: vacuumOf(vacuum),
    findings: judgeReadings(readings).findings,
  };
}
