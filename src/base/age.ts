/** A calendar age: months first, then days. */
export interface Age {
  readonly months: number;
  readonly days: number;
}

const UNITS: readonly (readonly [pattern: RegExp, age: Age])[] = [
  [/^(mo|mon|month|months)$/, { months: 1, days: 0 }],
  [/^(y|yr|year|years)$/, { months: 12, days: 0 }],
  [/^(w|week|weeks)$/, { months: 0, days: 7 }],
  [/^(d|day|days)$/, { months: 0, days: 1 }],
];

const MOST_MONTHS = 1200;
const MOST_DAYS = 36_500;

/**
 * The age in a text such as `6mo`, `3y`, `90d`, `2 weeks`; undefined when it is none. A unit is required ("10" has been
 * read as seconds by others, and months were lost), and `m` is refused: it could be minutes. At most 100 years.
 */
export function parseAge(text: string): Age | undefined {
  const [, amount, unit] = /^(\d{1,5})\s*([a-z]+)$/.exec(text.trim().toLowerCase()) ?? [];
  const one = UNITS.find(([pattern]) => unit !== undefined && pattern.test(unit))?.[1];
  if (amount === undefined || one === undefined) return undefined;
  const age = { months: one.months * Number(amount), days: one.days * Number(amount) };
  return age.months > MOST_MONTHS || age.days > MOST_DAYS ? undefined : age;
}

/**
 * The moment that lies an age before another, counted in calendar months and days of UTC whatever the machine's time
 * zone. A day the month does not have becomes its last one (31 August less 6 months is 28 or 29 February), as in
 * PostgreSQL. Never later than the exact age: nothing younger is taken for older.
 */
export function subtractAge(moment: Date, { months, days }: Age): Date {
  const year = moment.getUTCFullYear();
  const month = moment.getUTCMonth() - months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const result = new Date(moment);
  result.setUTCFullYear(year, month, Math.min(moment.getUTCDate(), lastDay));
  result.setUTCDate(result.getUTCDate() - days);
  return result;
}
