import { parseTime, type TimeUnit } from './duration.js';

/** A calendar age: months first, then days. */
export interface Age {
  readonly months: number;
  readonly days: number;
}

const UNITS: Readonly<Partial<Record<TimeUnit, Age>>> = {
  d: { months: 0, days: 1 },
  w: { months: 0, days: 7 },
  mo: { months: 1, days: 0 },
  y: { months: 12, days: 0 },
};

const MOST_MONTHS = 1200;
const MOST_DAYS = 36_500;

/**
 * The age in a text such as `6mo`, `3y`, `90d`, `2 weeks`; undefined when it is none. Whole days and longer only, so that
 * `6m`, which is six minutes, is never taken for six months. At most 100 years.
 */
export function parseAge(text: string): Age | undefined {
  const time = parseTime(text);
  const one = time === undefined ? undefined : UNITS[time.unit];
  if (time === undefined || one === undefined || !Number.isInteger(time.amount)) return undefined;
  const age = { months: one.months * time.amount, days: one.days * time.amount };
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
