import { DAY_MS } from '../../../base/duration.js';

/** What a place is for: the newest verified backup of an hour, a day, a week, a month or a year. */
export type PlaceUnit = 'hour' | 'day' | 'week' | 'month' | 'year';

/** How many places of each unit there are, such as 7 days and 5 weeks. */
export type PlaceCounts = Readonly<Partial<Record<PlaceUnit, number>>>;

/** One place, and the period it is for. */
export interface Place {
  readonly unit: PlaceUnit;
  /** `2026-11-25T02`, `2026-11-25`, `2026-W48`, `2026-11`, `2026`; of UTC. */
  readonly period: string;
}

/** The week of ISO 8601 belongs to the year that its Thursday is in. */
const THURSDAY = 4;

function isoWeek(moment: Date): string {
  const weekday = moment.getUTCDay() === 0 ? 7 : moment.getUTCDay();
  const thursday = new Date(moment.getTime() + (THURSDAY - weekday) * DAY_MS);
  const firstDay = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - firstDay) / (7 * DAY_MS)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

const PERIOD: Readonly<Record<PlaceUnit, (moment: Date) => string>> = {
  hour: (moment) => moment.toISOString().slice(0, 13),
  day: (moment) => moment.toISOString().slice(0, 10),
  week: isoWeek,
  month: (moment) => moment.toISOString().slice(0, 7),
  year: (moment) => moment.toISOString().slice(0, 4),
};
const UNITS = Object.keys(PERIOD) as readonly PlaceUnit[];

/**
 * Which places each backup fills: of each unit, the newest backup of each of the last periods that have one. Periods
 * without a backup take no place, so that an outage costs none. Counted in UTC: a day has 24 hours wherever it runs.
 *
 * @param newestFirst verified ones of one format
 */
export function fillPlaces<Each extends { readonly createdAt: Date }>(
  newestFirst: readonly Each[],
  counts: PlaceCounts,
): ReadonlyMap<Each, readonly Place[]> {
  const filled = new Map<Each, Place[]>();
  for (const unit of UNITS) {
    const periods = new Set<string>();
    for (const backup of newestFirst) {
      const period = PERIOD[unit](backup.createdAt);
      if (periods.has(period)) continue;
      if (periods.size >= (counts[unit] ?? 0)) break;
      periods.add(period);
      filled.set(backup, [...(filled.get(backup) ?? []), { unit, period }]);
    }
  }
  return filled;
}
