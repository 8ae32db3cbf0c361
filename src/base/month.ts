/** So many months of messages are there ahead of the current one at any time; `partitions ensure` makes one more. */
export const WANTED_MONTHS_AHEAD = 2;

/** A calendar month in UTC, `2026-11`, of the years 1 to 9999: such texts sort as the months do. */
export type Month = `${number}-${number}`;

/** The month that a text is; undefined when it is none. */
export function parseMonth(text: string): Month | undefined {
  return /^(?!0000)\d{4}-(0[1-9]|1[0-2])$/.test(text) ? (text as Month) : undefined;
}

/** Months since year 0, to count with. */
function ordinal(month: Month): number {
  const [year = 0, inYear = 0] = month.split('-').map(Number);
  return year * 12 + inYear - 1;
}

function ofOrdinal(count: number): Month {
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}` as Month;
}

/** The month so many months later; earlier, when `count` is negative. */
export function addMonths(month: Month, count: number): Month {
  return ofOrdinal(ordinal(month) + count);
}

/** How many months the second is after the first. */
export function monthsBetween(first: Month, second: Month): number {
  return ordinal(second) - ordinal(first);
}

/** The month of a moment. */
export function monthOf(moment: Date): Month {
  return moment.toISOString().slice(0, 7) as Month;
}

/** `2026-11`, or `2026-11 to 2027-02`. */
export function formatMonths(first: Month, last: Month): string {
  return first === last ? first : `${first} to ${last}`;
}

/** The first day, as SQL takes it: `2026-11-01`. */
export function firstDay(month: Month): string {
  return `${month}-01`;
}

/** The first instant of a month, as RFC 3339. */
export function monthStart(month: Month): string {
  return `${month}-01T00:00:00Z`;
}

/** The first instant, epoch milliseconds. */
export function monthStartMs(month: Month): number {
  return Date.parse(monthStart(month));
}

/** The first instant after the month, epoch milliseconds. */
export function monthEndMs(month: Month): number {
  const [year = 0, inYear = 0] = month.split('-').map(Number);
  const end = new Date(0);
  end.setUTCFullYear(year, inYear, 1);
  return end.getTime();
}

/** Every month from `first` to `last`. */
export function monthRange(first: Month, last: Month): readonly Month[] {
  const count = Math.max(0, monthsBetween(first, last) + 1);
  return Array.from({ length: count }, (_, position) => addMonths(first, position));
}

/**
 * Longer than this, missing months are no gap that a job left: they lie between the months in use and one that was made
 * for a single stray row, dated 1970 or 2100.
 */
const LONGEST_GAP_MONTHS = 12;

/** The months that are missing in the middle, as runs [first, last]. */
export function gapsBetween(months: readonly Month[]): readonly (readonly [first: Month, last: Month])[] {
  const sorted = [...new Set(months)].toSorted();
  return sorted.flatMap((month, position) => {
    const next = sorted[position + 1];
    const missing = next === undefined ? 0 : monthsBetween(month, next) - 1;
    if (next === undefined || missing === 0 || missing > LONGEST_GAP_MONTHS) return [];
    return [[addMonths(month, 1), addMonths(next, -1)] as const];
  });
}
