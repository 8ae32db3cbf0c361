import { SEVERITIES } from '../../../base/finding.js';
import { groupBy } from '../../../base/group-by.js';
import type { MonthState } from '../partitions.js';
import type { Labels, Metric, Sample } from './prometheus.js';
import { defaultRows, type Readings } from './readings.js';

const STATES: readonly MonthState[] = [
  'archived',
  'closed',
  'current',
  'ahead',
  'default',
  'missing',
  'odd',
  'detaching',
];
const SIDES = ['low', 'expected', 'high'] as const;

const DAY_SECONDS = 86_400;

const seconds = (rfc3339: string): number => Date.parse(rfc3339) / 1000;

/** What is not known has no sample. */
function known(labels: Labels, value: number | null | undefined): readonly Sample[] {
  return value === null || value === undefined ? [] : [{ labels, value }];
}

function tableMetrics({ tables }: Readings, base: Labels): readonly Metric[] {
  const each = (sample: (labels: Labels, table: (typeof tables.tables)[number]) => readonly Sample[]): Sample[] =>
    tables.tables.flatMap((table) => sample({ ...base, table: table.table }, table));
  return [
    {
      name: 'aisec_table_bytes',
      help: 'Size of a table on disk, partitions counted with it; part is heap, maps, toast or index.',
      samples: each((labels, { heapBytes, mapBytes, toastBytes, indexBytes }) =>
        Object.entries({ heap: heapBytes, maps: mapBytes, toast: toastBytes, index: indexBytes }).map(
          ([part, value]) => ({ labels: { ...labels, part }, value }),
        ),
      ),
    },
    {
      name: 'aisec_table_size_is_estimated',
      help: '1 when a session had the table locked and its size is from the pages last counted.',
      samples: each((labels, { isEstimated }) => [{ labels, value: isEstimated ? 1 : 0 }]),
    },
    {
      name: 'aisec_table_rows',
      help: 'Rows of a table as the statistics have it.',
      samples: each((labels, { rows }) => known(labels, rows)),
    },
    {
      name: 'aisec_table_dead_rows',
      help: 'Dead rows of a table since the counters began.',
      samples: each((labels, { deadRows }) => known(labels, deadRows)),
    },
    {
      name: 'aisec_table_partitions',
      help: 'Partitions of a partitioned table that store rows.',
      samples: each((labels, { isPartitioned, partitions }) => known(labels, isPartitioned ? partitions.length : null)),
    },
  ];
}

function monthMetrics(readings: Readings, base: Labels): readonly Metric[] {
  const { months, monthsAhead } = readings.partitions;
  return [
    {
      name: 'aisec_messages_months',
      help: 'Months and other partitions of messages and messages_archive by state.',
      samples: STATES.map((state) => ({
        labels: { ...base, state },
        value: months.filter((month) => month.state === state).length,
      })),
    },
    {
      name: 'aisec_messages_months_ahead',
      help: 'Months after the current one that have a partition; -1 when the current one has none.',
      samples: [{ labels: base, value: monthsAhead }],
    },
    {
      name: 'aisec_messages_default_rows',
      help: 'Messages in the default partition, which no month covers, as the statistics have it.',
      samples: known(base, defaultRows(readings)?.rows),
    },
  ];
}

function growthMetrics({ growth, tables }: Readings, base: Labels): readonly Metric[] {
  const { forecast, limit } = growth;
  const sides = { low: limit?.earliest, expected: limit?.expected, high: limit?.latest };
  const now = seconds(tables.takenAt);
  return [
    {
      name: 'aisec_messages_month_bytes',
      help: 'What a coming month of messages is expected to add, and what the smallest and largest of the closed ones would.',
      samples: SIDES.flatMap((bound) => known({ ...base, bound }, forecast?.monthlyBytes[bound])),
    },
    {
      name: 'aisec_limit_bytes',
      help: 'Size of the database that --size-limit asks about.',
      samples: known(base, limit?.limitBytes),
    },
    {
      name: 'aisec_limit_reached_timestamp_seconds',
      help: 'When the limit is reached at the earliest (low), about, and at the latest (high); none when that is later than the forecast reaches.',
      samples: SIDES.flatMap((bound) => {
        const days = sides[bound]?.daysLeft;
        return known({ ...base, bound }, days === undefined ? null : now + days * DAY_SECONDS);
      }),
    },
  ];
}

/** Of the checks of the server's state; several samples of one name are one metric. */
function liveMetrics({ live }: Readings, base: Labels): readonly Metric[] {
  const groups = groupBy(live.gauges, ({ name }) => name);
  return [
    ...[...groups].map(([name, gauges]) => ({
      name,
      help: gauges[0]?.help ?? '',
      samples: gauges.flatMap(({ labels, value }) => known({ ...base, ...labels }, value)),
    })),
    {
      name: 'aisec_live_findings',
      help: 'Findings of the checks of the state of the server, by severity.',
      samples: SEVERITIES.map((severity) => ({
        labels: { ...base, severity },
        value: live.findings.filter((finding) => finding.severity === severity).length,
      })),
    },
    {
      name: 'aisec_live_checks_skipped',
      help: 'Checks of the state of the server that could not look, for want of a privilege.',
      samples: [{ labels: base, value: live.skipped.length }],
    },
  ];
}

/** Gauges; how many series there are depends on the tables, and not on how many partitions they have. */
export function metricsOf(readings: Readings): readonly Metric[] {
  const { databaseName, tables, growth, partitions, durationMs } = readings;
  const base = { database: databaseName, schema: tables.schema };
  const skipped = [...tables.skipped, ...partitions.skipped, ...growth.skipped];
  const since = tables.countersSince;
  return [
    {
      name: 'aisec_database_bytes',
      help: 'Size of the whole database on disk, other schemas included.',
      samples: [{ labels: { database: databaseName }, value: growth.databaseBytes }],
    },
    ...tableMetrics(readings, base),
    ...monthMetrics(readings, base),
    ...growthMetrics(readings, base),
    ...liveMetrics(readings, base),
    {
      name: 'aisec_counters_since_timestamp_seconds',
      help: 'When the counters of the database began: a reset, or the start or recovery of the server.',
      samples: known(base, since === null ? null : seconds(since)),
    },
    {
      name: 'aisec_monitor_skipped',
      help: 'Reports that could not be made or are not complete.',
      samples: [{ labels: base, value: skipped.length }],
    },
    {
      name: 'aisec_monitor_duration_seconds',
      help: 'Time the readings took.',
      samples: [{ labels: base, value: Math.round(durationMs) / 1000 }],
    },
    {
      name: 'aisec_monitor_last_run_timestamp_seconds',
      help: 'When the readings were taken, by the clock of the server; alert when it grows old.',
      samples: [{ labels: base, value: seconds(tables.takenAt) }],
    },
  ];
}
