/** Where people are at work: how much happens in each hour of a local day. */
const HOURS = [1, 1, 0.5, 0.5, 0.5, 1, 3, 8, 20, 40, 45, 40, 25, 38, 45, 45, 40, 35, 25, 15, 10, 8, 5, 2];
const WEEKEND = 0.2;
const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Nothing starts later than this before the end, so that there is room for what follows. */
const LAST_START_MS = 10 * 60_000;

export interface Window {
  /** Midnights in UTC; `untilMs` itself is outside. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** What local clocks are ahead of UTC. */
  readonly offsetMs: number;
}

/** The hour of the local day, 0 to 23, of a time. */
export function localHour(timeMs: number, offsetMs: number): number {
  return Math.floor((timeMs + offsetMs) / HOUR_MS) % 24;
}

function weight(hourMs: number, { fromMs, untilMs, offsetMs }: Window): number {
  const weekday = new Date(hourMs + offsetMs).getUTCDay();
  const growth = 1 + (hourMs - fromMs) / (untilMs - fromMs);
  return (HOURS[localHour(hourMs, offsetMs)] ?? 1) * (weekday === 0 || weekday === 6 ? WEEKEND : 1) * growth;
}

/**
 * Returns the function from a share of all that happens (0 to 1) to the time by which it has happened: more by day than
 * by night, less at weekends, twice as much at the end as at the start. It never falls, so that things numbered
 * in order come in the order of time without sorting.
 */
export function createRhythm(window: Window): (share: number) => number {
  const { fromMs, untilMs } = window;
  const hours = (untilMs - fromMs) / HOUR_MS;
  const sums = new Float64Array(hours + 1);
  for (let hour = 0; hour < hours; hour += 1)
    sums[hour + 1] = (sums[hour] ?? 0) + weight(fromMs + hour * HOUR_MS, window);
  const total = sums[hours] ?? 1;
  return (share) => {
    const wanted = share * total;
    let low = 0;
    let high = hours - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((sums[middle] ?? 0) <= wanted) low = middle;
      else high = middle - 1;
    }
    const start = sums[low] ?? 0;
    const inside = (wanted - start) / ((sums[low + 1] ?? total) - start);
    return Math.min(Math.floor(fromMs + (low + inside) * HOUR_MS), untilMs - LAST_START_MS);
  };
}
