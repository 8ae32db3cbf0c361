import type { OverviewReport } from '../../../features/monitor/overview.js';

/** One row in a pipe; null: not known. */
interface Figure {
  readonly figure: string;
  readonly of: string;
  readonly value: number | string | null;
}

/** The overview for programs: names that stay, bytes and milliseconds as integers. */
export function figuresOf(report: OverviewReport): readonly Figure[] {
  const { databaseName, tables, messages, archive, connections, longestTransaction: longest, vacuum } = report;
  const figure = (name: string, of: string, value: Figure['value']): Figure => ({ figure: name, of, value });
  return [
    figure('database_bytes', databaseName, report.databaseBytes),
    figure('month_bytes', 'messages', report.monthlyBytes?.expected ?? null),
    ...tables.largest.map(({ identifier, totalBytes }) => figure('table_bytes', identifier, totalBytes)),
    ...tables.largest.map(({ identifier, rows }) => figure('table_rows', identifier, rows)),
    figure('partitions', 'messages', messages.partitions),
    figure('months_ahead', 'messages', messages.monthsAhead),
    figure('months_missing', 'messages', messages.missingMonths.length),
    figure('default_rows', 'messages', messages.default?.rows ?? null),
    figure('partitions', 'messages_archive', archive.partitions),
    figure('archive_bytes', 'messages_archive', archive.totalBytes),
    ...Object.entries({
      connections: connections.total,
      connections_usable: connections.usable,
      connections_active: connections.active,
      connections_idle: connections.idle,
      connections_idle_in_transaction: connections.idleInTransaction,
      connections_blocked: connections.blocked,
    }).map(([name, value]) => figure(name, 'server', value)),
    figure('longest_transaction_ms', longest === null ? '' : `pid ${longest.pid}`, longest?.transactionMs ?? null),
    figure('vacuums_due', databaseName, vacuum.due),
    figure('xid_age', databaseName, vacuum.xidAge),
    figure('counters_since', databaseName, report.countersSince),
  ];
}
