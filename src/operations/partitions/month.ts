/** A calendar month in UTC: months since year 0, so that months can be counted and compared as numbers. */
export type Month = number;

/** The month of `2026-11`; undefined when it is none of the years 1 to 9999. */
export function parseMonth(text: string): Month | undefined {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text);
  const year = Number(match?.[1] ?? 0);
  return year === 0 ? undefined : year * 12 + Number(match?.[2]) - 1;
}

/** `2026-11`. */
export function formatMonth(month: Month): string {
  return `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}`;
}

/** `2026-11`, or `2026-11 to 2027-02`. */
export function formatMonths(first: Month, last: Month): string {
  return first === last ? formatMonth(first) : `${formatMonth(first)} to ${formatMonth(last)}`;
}

/** The first instant of a month, as RFC 3339. */
export function monthStart(month: Month): string {
  return `${formatMonth(month)}-01T00:00:00Z`;
}

/** Every month from `first` to `last`. */
export function monthRange(first: Month, last: Month): readonly Month[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, position) => first + position);
}

/**
 * Longer than this, missing months are no gap that a job left: they lie between the months in use and one that was made
 * for a single stray row, dated 1970 or 2100.
 */
const LONGEST_GAP_MONTHS = 12;

/** The months that are missing in the middle, as runs [first, last]. */
export function gapsBetween(months: readonly Month[]): readonly (readonly [first: Month, last: Month])[] {
  const sorted = [...new Set(months)].toSorted((a, b) => a - b);
  return sorted.flatMap((month, position) => {
    const next = sorted[position + 1];
    if (next === undefined || next - month === 1 || next - month - 1 > LONGEST_GAP_MONTHS) return [];
    return [[month + 1, next - 1] as const];
  });
}
