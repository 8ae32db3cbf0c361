// What a value must be like for a column of a type. Each is a function, so that nothing is shared between tables.
import { z } from 'zod/v4';

import { toVector } from '../client/embedding.js';
import type { JsonObject, JsonValue } from '../schema/index.js';

/** The types of jsonb columns, for the validators of tables. */
export type {
  ApiUsageMetadata,
  AssistantSkillSettings,
  AvatarMetadata,
  ConversationMetadata,
  FileMetadata,
  KnowledgeMetadata,
  MessageMetadata,
  NotificationSettings,
  PersonalityParameters,
  PrivacySettings,
  SkillConfiguration,
  VoiceSettings,
} from '../schema/column-types.js';

export interface TextRules {
  /** Characters, not UTF-16 units. */
  readonly max?: number;
  /** At least one character that is not white space. */
  readonly isNotBlank?: boolean;
}

export interface NumberRules {
  readonly atLeast?: number;
}

/** White space as PostgreSQL's `\s` has it in the C.UTF-8 locale. */
const VISIBLE = /[^\t-\r \u1680\u2000-\u2006\u2008-\u200A\u2028\u2029\u205F\u3000]/;

/** PostgreSQL cuts off blanks beyond the length, and refuses anything else there. */
function fits(text: string, max: number): boolean {
  return text.length <= max || /^ *$/.test(Array.from(text).slice(max).join(''));
}

/** PostgreSQL has no zero character; a lone surrogate would be stored as another character. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && !/[\uD800-\uDFFF]/u.test(text);
}

/** `text`, `varchar(n)`. */
export function textColumn({ max, isNotBlank = false }: TextRules = {}) {
  return z
    .string()
    .refine(isStorable, 'has a character that the database cannot store')
    .refine((text) => max === undefined || fits(text, max), `has more than ${max} characters`)
    .refine((text) => !isNotBlank || VISIBLE.test(text), 'is blank');
}

/** A text that is one of those a CHECK lists. */
export function choiceColumn<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.enum(choices);
}

/** Any uuid in its usual form, of whatever version. */
export function uuidColumn() {
  return z.guid();
}

export function booleanColumn() {
  return z.boolean();
}

/** `smallint`, `integer`. */
export function integerColumn(bits: 16 | 32, { atLeast = -(2 ** (bits - 1)) }: NumberRules = {}) {
  return z
    .int()
    .min(atLeast)
    .max(2 ** (bits - 1) - 1);
}

const LARGEST_INT8 = 2n ** 63n - 1n;

/** `bigint`, as a number without loss, a bigint, or decimal digits. */
export function bigintColumn({ atLeast }: NumberRules = {}) {
  const least = atLeast === undefined ? -LARGEST_INT8 - 1n : BigInt(Math.ceil(atLeast));
  const isInRange = (value: bigint): boolean => value >= least && value <= LARGEST_INT8;
  const message = `is not a whole number from ${least} to ${LARGEST_INT8}`;
  return z.union([
    z.int().refine((value) => isInRange(BigInt(value)), message),
    z.bigint().refine(isInRange, message),
    z.string().refine((text) => /^-?\d{1,19}$/.test(text) && isInRange(BigInt(text)), message),
  ]);
}

interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  /** Of the last digit, as a power of ten. */
  readonly exponent: number;
}

function decimalOf(text: string): Decimal | undefined {
  const [whole, sign = '', before = '', after = '', exponent = '0'] =
    /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,4}))?$/i.exec(text) ?? [];
  if (whole === undefined || before + after === '') return undefined;
  return { isNegative: sign === '-', digits: before + after, exponent: Number(exponent) - after.length };
}

/** Its digits with `scale` of them behind the point, rounded half up as PostgreSQL does. */
function scaled({ digits, exponent }: Decimal, scale: number): bigint {
  const shift = exponent + scale;
  if (shift >= 0) return BigInt(digits) * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (BigInt(digits) + divisor / 2n) / divisor;
}

const ENDLESS = new Set(['NaN', 'Infinity', '-Infinity']);

/** `numeric(precision, scale)` as a number or as decimal digits; plain `numeric` may be 'NaN' and infinite, too. */
export function numericColumn(size?: readonly [precision: number, scale: number], { atLeast }: NumberRules = {}) {
  const isRight = (value: number | string): boolean => {
    if (size === undefined && ENDLESS.has(String(value))) return atLeast === undefined || value !== '-Infinity';
    const decimal = decimalOf(String(value));
    if (decimal === undefined) return false;
    if (atLeast !== undefined && Number(value) < atLeast) {
      // What rounds to the limit is not below it.
      const isZero = size !== undefined && atLeast === 0 && scaled(decimal, size[1]) === 0n;
      if (!isZero) return false;
    }
    return size === undefined || scaled(decimal, size[1]) < 10n ** BigInt(size[0]);
  };
  return z
    .union([z.number(), z.string()])
    .refine(
      isRight,
      size === undefined ? 'is not a decimal number in range' : `does not fit numeric(${size.join(', ')})`,
    );
}

/** 24 November 4714 BC, where PostgreSQL's calendar begins. */
const FIRST_MS = Date.UTC(-4713, 10, 24);
/** How `-infinity` is read (aisec/schema, Timestamp). */
const MINUS_INFINITY_MS = -8.64e15;

/**
 * `timestamptz`: a Date, or ISO 8601 with its offset, which leaves nothing to the session's time zone; `infinity` and
 * `-infinity`, too.
 */
export function timestampColumn() {
  return z.union([
    z
      .date()
      .refine(
        (date) => date.getTime() >= FIRST_MS || date.getTime() === MINUS_INFINITY_MS,
        'is before the calendar of PostgreSQL',
      ),
    z.iso.datetime({ offset: true }),
    z.enum(['infinity', '-infinity']),
  ]);
}

function isJson(value: unknown): value is JsonValue {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return isStorable(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isJsonObject(value);
}

function isJsonObject(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.entries(value).every(([key, each]) => isStorable(key) && (each === undefined || isJson(each)));
}

/** A `jsonb` column that holds an object. */
export function jsonObjectColumn<Content extends JsonObject>() {
  return z.custom<Content>(isJsonObject, 'is not an object of JSON values');
}

/** A `jsonb` column of any value: its JSON text. */
export function jsonTextColumn() {
  return z.string().refine((text) => {
    try {
      return isJson(JSON.parse(text));
    } catch {
      return false;
    }
  }, 'is not JSON text');
}

/** How deep an array is nested, and how long it is at each level; undefined when that is not the same everywhere. */
function extentOf(value: unknown): string | undefined {
  if (!Array.isArray(value)) return '';
  const inner = new Set(value.map(extentOf));
  const [first = ''] = inner;
  return inner.size > 1 || inner.has(undefined) ? undefined : `${value.length} ${first}`;
}

/** An array; every element may be null. In an array of arrays all are of one length. */
export function arrayColumn<Element extends z.ZodType>(element: Element) {
  return z.array(element.nullable()).refine((items) => extentOf(items) !== undefined, 'has parts of different lengths');
}

/** `vector(1536)`: the numbers of an embedding. Comes out as the text that the driver takes, by `toVector`. */
export function embeddingColumn() {
  return z.array(z.number()).transform((numbers, context) => {
    try {
      return toVector(numbers);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}
