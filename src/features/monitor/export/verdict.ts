import { formatBytes } from '../../../base/bytes.js';
import { monthEndMs } from '../../../base/month.js';
import { defaultRows, type Readings } from './readings.js';

export type Level = 'OK' | 'WARNING' | 'CRITICAL';

export interface Problem {
  readonly level: Exclude<Level, 'OK'>;
  readonly text: string;
}

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
  readonly problems: readonly Problem[];
  readonly figures: readonly PerformanceFigure[];
}

const WANTED_AHEAD = 2;
const MANY_DEFAULT_ROWS = 10_000;
const LIMIT_WARNING_DAYS = 30;
const LIMIT_CRITICAL_DAYS = 7;
const DAY_MS = 86_400_000;

function monthProblems({ partitions }: Readings): readonly Problem[] {
  const { monthsAhead, currentMonth, takenAt } = partitions;
  if (monthsAhead >= WANTED_AHEAD) return [];
  if (monthsAhead < 0) return [{ level: 'CRITICAL', text: `the current month ${currentMonth} has no partition` }];
  const isLastDay = monthEndMs(currentMonth) - Date.parse(takenAt) <= DAY_MS;
  const level = monthsAhead === 0 && isLastDay ? 'CRITICAL' : 'WARNING';
  return [{ level, text: `partitions for ${monthsAhead} months ahead, ${WANTED_AHEAD} are wanted` }];
}

function defaultProblems(readings: Readings): readonly Problem[] {
  const rest = defaultRows(readings);
  if (rest === undefined || rest.isEmpty) return [];
  const level = (rest.rows ?? 0) >= MANY_DEFAULT_ROWS ? 'CRITICAL' : 'WARNING';
  return [{ level, text: `${rest.rows === null ? '' : `about ${rest.rows} `}messages in the default partition` }];
}

function limitProblems({ growth, tables }: Readings): readonly Problem[] {
  const { limit } = growth;
  if (limit === null || limit.expected === null) return [];
  const days = (Date.parse(`${limit.expected}T00:00:00Z`) - Date.parse(tables.takenAt)) / DAY_MS;
  if (days > LIMIT_WARNING_DAYS) return [];
  const level = days <= LIMIT_CRITICAL_DAYS ? 'CRITICAL' : 'WARNING';
  return [{ level, text: `${formatBytes(limit.limitBytes)} reached about ${limit.expected}` }];
}

function figuresOf(readings: Readings): readonly PerformanceFigure[] {
  const { growth, partitions, durationMs } = readings;
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
    ...figure('time', Math.round(durationMs) / 1000, 's'),
  ];
}

/** Judges what needs nobody's rights: months ahead, the default partition, and the day of the limit. The rest is doctor's. */
export function judgeReadings(readings: Readings): Verdict {
  const problems = [...monthProblems(readings), ...defaultProblems(readings), ...limitProblems(readings)].toSorted(
    (one, other) => (one.level === other.level ? 0 : one.level === 'CRITICAL' ? -1 : 1),
  );
  return { level: problems[0]?.level ?? 'OK', problems, figures: figuresOf(readings) };
}
