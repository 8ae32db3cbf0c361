import { DAY_MS } from '../../../base/duration.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import { bySeverity, type Finding } from '../../../base/finding.js';
import { monthEndMs, WANTED_MONTHS_AHEAD } from '../../../base/month.js';
import type { Gauge } from '../live/check.js';
import { defaultRows, type Readings } from './readings.js';

export type Level = 'OK' | 'WARNING' | 'CRITICAL';

/** With a unit of the plugin guidelines, and what is too much (`9`) or too little (`2:`). */
export interface PerformanceFigure {
  readonly label: string;
  readonly value: number;
  readonly unit: '' | 'B' | 's';
  readonly warning: string;
  readonly critical: string;
}

export interface Verdict {
  readonly level: Level;
  /** Worst first. */
  readonly findings: readonly Finding[];
  readonly figures: readonly PerformanceFigure[];
}

const MANY_DEFAULT_ROWS = 10_000;
const LIMIT_WARNING_DAYS = 30;
const LIMIT_CRITICAL_DAYS = 7;

function monthFindings({ partitions }: Readings): readonly Finding[] {
  const { monthsAhead, currentMonth, takenAt, schema } = partitions;
  if (monthsAhead >= WANTED_MONTHS_AHEAD) return [];
  const isLastDay = monthEndMs(currentMonth) - Date.parse(takenAt) <= DAY_MS;
  const isCritical = monthsAhead < 0 || (monthsAhead === 0 && isLastDay);
  return [
    {
      id: 'partition-months-ahead:messages',
      severity: isCritical ? 'critical' : 'warning',
      object: 'messages',
      message:
        monthsAhead < 0
          ? `the current month ${currentMonth} has no partition`
          : `partitions for ${monthsAhead} months ahead, ${WANTED_MONTHS_AHEAD} are wanted`,
      impact: 'messages of a month without a partition go to the default partition',
      fix: aisecCommand('partitions ensure', schema),
    },
  ];
}

function defaultFindings(readings: Readings): readonly Finding[] {
  const rest = defaultRows(readings);
  if (rest === undefined || rest.isEmpty) return [];
  return [
    {
      id: 'partition-default-rows:messages',
      severity: (rest.rows ?? 0) >= MANY_DEFAULT_ROWS ? 'critical' : 'warning',
      object: 'messages',
      message: `${rest.rows === null ? '' : `about ${rest.rows} `}messages in the default partition`,
      impact: 'they cannot be archived, and a partition for their month has to move them first',
      fix: aisecCommand('partitions ensure', readings.partitions.schema),
    },
  ];
}

function limitFindings({ growth }: Readings): readonly Finding[] {
  const { limit } = growth;
  if (limit === null || limit.expected === null) return [];
  const { daysLeft } = limit.expected;
  if (daysLeft > LIMIT_WARNING_DAYS) return [];
  return [
    {
      id: 'size-limit:database',
      severity: daysLeft <= LIMIT_CRITICAL_DAYS ? 'critical' : 'warning',
      object: 'database',
      message: `${formatBytes(limit.limitBytes)} will be reached in about ${countText(daysLeft, 'day')}`,
      impact: 'when the disk is full the server stops',
      fix: aisecCommand('monitor growth', growth.schema),
    },
  ];
}

/** Gauges without labels: a plugin's line is no place for a figure of each slot. */
function gaugeFigure({ name, value, labels, threshold }: Gauge): readonly PerformanceFigure[] {
  if (value === null || labels !== undefined) return [];
  const [label, unit] = name.endsWith('_seconds')
    ? ([name.replace(/_seconds$/, ''), 's'] as const)
    : name.endsWith('_bytes')
      ? ([name.replace(/_bytes$/, ''), 'B'] as const)
      : ([name, ''] as const);
  return [
    {
      label: label.replace(/^aisec_/, ''),
      value,
      unit,
      warning: threshold === undefined ? '' : String(threshold.warning),
      critical: threshold === undefined ? '' : String(threshold.critical),
    },
  ];
}

function figuresOf(readings: Readings): readonly PerformanceFigure[] {
  const { growth, partitions, live, durationMs } = readings;
  const figure = (label: string, value: number | null | undefined, unit: PerformanceFigure['unit'] = '') =>
    value === null || value === undefined ? [] : [{ label, value, unit, warning: '', critical: '' }];
  return [
    ...figure('database', growth.databaseBytes, 'B').map((one) => ({
      ...one,
      critical: growth.limit === null ? '' : String(growth.limit.limitBytes),
    })),
    ...figure('messages_month', growth.forecast?.monthlyBytes.expected, 'B'),
    ...figure('months_ahead', partitions.monthsAhead).map((one) => ({ ...one, warning: '2:', critical: '0:' })),
    ...figure('default_rows', defaultRows(readings)?.rows).map((one) => ({
      ...one,
      warning: '0',
      critical: String(MANY_DEFAULT_ROWS - 1),
    })),
    ...live.gauges.flatMap(gaugeFigure),
    ...figure('time', Math.round(durationMs) / 1000, 's'),
  ];
}

/** Judges months ahead, the default partition, the day of the limit, and what stops the server now. The rest is doctor's. */
export function judgeReadings(readings: Readings): Verdict {
  const findings = [
    ...readings.live.findings,
    ...monthFindings(readings),
    ...defaultFindings(readings),
    ...limitFindings(readings),
  ].toSorted(bySeverity);
  const severities = findings.map(({ severity }) => severity);
  const level = severities.includes('critical') ? 'CRITICAL' : severities.includes('warning') ? 'WARNING' : 'OK';
  return { level, findings, figures: figuresOf(readings) };
}
