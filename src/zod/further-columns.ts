// Validators of columns that no table of the platform has, for tables of a team's own.
import { z } from 'zod/v4';

import type { NumberRules } from './columns.js';

/** A number that is one of those a CHECK lists. */
export function numberChoiceColumn<const Choices extends readonly [number, ...number[]]>(choices: Choices) {
  return z.literal(choices);
}

/** `real`, `double precision`: also NaN and the infinities. */
export function floatColumn(bits: 32 | 64, { atLeast = Number.NEGATIVE_INFINITY }: NumberRules = {}) {
  return (
    z
      .custom<number>((value) => typeof value === 'number', 'is not a number')
      .refine((value) => {
        if (bits === 64 || value === 0 || !Number.isFinite(value)) return true;
        const stored = Math.fround(value);
        return Number.isFinite(stored) && stored !== 0;
      }, 'is out of range for real')
      // NaN is greater than all numbers.
      .refine((value) => Number.isNaN(value) || value >= atLeast, `is less than ${atLeast}`)
  );
}

/** `oid`. */
export function oidColumn() {
  return z
    .int()
    .min(0)
    .max(2 ** 32 - 1);
}

/** `bytea`: a Buffer or any other Uint8Array. */
export function bytesColumn() {
  return z.instanceof(Uint8Array<ArrayBufferLike>);
}

/** `bit(n)`: so many digits; `bit varying`: any number of them, or at most `max`. */
export function bitColumn(length: number | { readonly max: number } = { max: Number.POSITIVE_INFINITY }) {
  return z
    .string()
    .regex(/^[01]*$/, 'has other digits than 0 and 1')
    .refine(
      (text) => (typeof length === 'number' ? text.length === length : text.length <= length.max),
      typeof length === 'number' ? `does not have ${length} digits` : `has more than ${length.max} digits`,
    );
}

const WITHOUT_END = ['infinity', '-infinity'];
const LAST_DATE = 5_874_897;
const LAST_TIMESTAMP = 294_276;

/** Whether a day is in the calendar, which begins on 24 November 4714 BC. */
function isDay(text: string, lastYear: number): boolean {
  const [, years, months, days, era] = /^(\d{4,7})-(\d\d)-(\d\d)( BC)?$/.exec(text) ?? [];
  const [year, month, day] = [Number(years), Number(months), Number(days)];
  if (years === undefined || year === 0 || month < 1 || month > 12 || day < 1) return false;
  const astronomical = era === undefined ? year : 1 - year;
  const isLeap = astronomical % 4 === 0 && (astronomical % 100 !== 0 || astronomical % 400 === 0);
  const lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (day > (lengths[month - 1] ?? 0) || astronomical > lastYear) return false;
  return astronomical > -4713 || (astronomical === -4713 && (month > 11 || (month === 11 && day >= 24)));
}

function isTime(text: string): boolean {
  return /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?$/.test(text) || /^24:00(?::00(?:\.0+)?)?$/.test(text);
}

/** `date`: `2026-11-25`, `0044-03-15 BC`, `infinity`. */
export function dateColumn() {
  return z.string().refine((text) => WITHOUT_END.includes(text) || isDay(text, LAST_DATE), 'is not a date');
}

/** `timestamp` without time zone: `2026-11-25 09:30:00.5`, `infinity`. */
export function localTimestampColumn() {
  return z.string().refine((text) => {
    const [, day = '', time = '', era = ''] = /^([\d-]+)[T ]([\d:.]+)( BC)?$/.exec(text) ?? [];
    return WITHOUT_END.includes(text) || (isDay(`${day}${era}`, LAST_TIMESTAMP) && isTime(time));
  }, 'is not a time without zone');
}

/** `time`: `09:30`, `09:30:00.5`, `24:00`. */
export function timeColumn() {
  return z.string().refine(isTime, 'is not a time of day');
}

export interface VectorRules {
  /** Undefined: any from 1 to 16,000. */
  readonly dimensions?: number;
  /** `halfvec`, whose numbers are smaller. */
  readonly isHalf?: boolean;
}

/** What rounds to more than this is out of range for a half-precision number. */
const HALF_LIMIT = 65_520;
const MOST_DIMENSIONS = 16_000;

/** `vector`, `halfvec`: the numbers. Comes out as the text that the driver takes. */
export function vectorColumn({ dimensions, isHalf = false }: VectorRules = {}) {
  const fits = (value: number): boolean =>
    isHalf ? Math.abs(value) < HALF_LIMIT : Number.isFinite(Math.fround(value));
  return z
    .array(z.number().refine(fits, 'is out of range'))
    .min(dimensions ?? 1)
    .max(dimensions ?? MOST_DIMENSIONS)
    .transform((numbers) => `[${numbers.join(',')}]`);
}
