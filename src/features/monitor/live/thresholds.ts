import { formatBytes, parseBytes } from '../../../base/bytes.js';
import { didYouMean } from '../../../base/did-you-mean.js';
import { formatDurationMs, parseDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import type { Severity } from '../../../base/finding.js';

type Unit = 'duration' | 'bytes' | 'percent' | 'count';

interface Definition {
  readonly unit: Unit;
  readonly about: string;
  readonly warning: number;
  readonly critical: number;
}

export interface Threshold {
  readonly warning: number;
  readonly critical: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** From which value on a check finds something. Durations in milliseconds, sizes in bytes, shares in percent. */
export const THRESHOLDS = {
  'blocked-time': {
    unit: 'duration',
    about: 'the longest that a session waits for a lock',
    warning: 10 * SECOND,
    critical: MINUTE,
  },
  'blocked-sessions': { unit: 'count', about: 'sessions that wait behind one', warning: 5, critical: 20 },
  'idle-transaction': {
    unit: 'duration',
    about: 'a session idle in a transaction',
    warning: 5 * MINUTE,
    critical: 15 * MINUTE,
  },
  transaction: { unit: 'duration', about: 'the age of a transaction', warning: HOUR, critical: 4 * HOUR },
  'prepared-transaction': {
    unit: 'duration',
    about: 'the age of a prepared transaction',
    warning: 5 * MINUTE,
    critical: HOUR,
  },
  'horizon-ids': {
    unit: 'count',
    about: 'transaction ids behind, of what holds vacuum back',
    warning: 10_000_000,
    critical: 200_000_000,
  },
  'horizon-time': { unit: 'duration', about: 'the age of what holds vacuum back', warning: HOUR, critical: 24 * HOUR },
  wraparound: { unit: 'percent', about: 'of the transaction or multixact ids', warning: 50, critical: 75 },
  'dead-rows': { unit: 'percent', about: 'dead rows of all rows of a table', warning: 30, critical: 60 },
  connections: { unit: 'percent', about: 'connections in use', warning: 75, critical: 90 },
  'replica-bytes': { unit: 'bytes', about: 'WAL that a replica has not replayed', warning: 16 * MIB, critical: GIB },
  'replica-time': { unit: 'duration', about: 'how far a replica is behind', warning: MINUTE, critical: 5 * MINUTE },
  'slot-bytes': { unit: 'bytes', about: 'WAL that a slot keeps', warning: GIB, critical: 5 * GIB },
  'wal-size': { unit: 'percent', about: 'of max_wal_size on disk', warning: 300, critical: 1000 },
  'wal-waiting': { unit: 'count', about: 'WAL segments that wait to be archived', warning: 10, critical: 50 },
  'temporary-bytes': { unit: 'bytes', about: 'temporary files now', warning: GIB, critical: 10 * GIB },
  'disk-used': { unit: 'percent', about: 'of a disk of the server in use', warning: 85, critical: 95 },
  'lock-table': { unit: 'percent', about: 'of the lock table in use', warning: 75, critical: 90 },
} as const satisfies Readonly<Record<string, Definition>>;

export type ThresholdName = keyof typeof THRESHOLDS;

export type Thresholds = Readonly<Record<ThresholdName, Threshold>>;

function isName(text: string): text is ThresholdName {
  return Object.hasOwn(THRESHOLDS, text);
}

function parseValue(text: string, unit: Unit): number | undefined {
  if (unit === 'duration') return parseDurationMs(text);
  if (unit === 'bytes') return parseBytes(text);
  const digits = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim());
  return digits === null || (digits[2] === '%' && unit !== 'percent') ? undefined : Number(digits[1]);
}

const EXAMPLES: Readonly<Record<Unit, string>> = {
  duration: '30s:5min',
  bytes: '64MB:1GB',
  percent: '75:90',
  count: '5:20',
};

/** A value as a person reads it: `5 min 0 s`, `1 GB`, `75 %`, `20`. */
export function formatThreshold(name: ThresholdName, value: number): string {
  const { unit } = THRESHOLDS[name];
  if (unit === 'duration') return formatDurationMs(value);
  if (unit === 'bytes') return formatBytes(value);
  return unit === 'percent' ? `${value} %` : String(value);
}

function parseOne(entry: string, source: string): readonly [ThresholdName, Threshold] {
  const [name = '', range = ''] = entry.split('=', 2).map((part) => part.trim());
  if (!isName(name)) {
    const near = didYouMean(name, Object.keys(THRESHOLDS));
    throw new AisecError('USAGE', `${source}: unknown threshold "${name}"`, {
      hint: near === undefined ? `Thresholds: ${Object.keys(THRESHOLDS).join(', ')}.` : `Did you mean "${near}"?`,
    });
  }
  const { unit } = THRESHOLDS[name];
  const [warning, critical] = range.split(':').map((part) => parseValue(part, unit));
  if (warning === undefined || critical === undefined || warning > critical || range.split(':').length !== 2)
    throw new AisecError('USAGE', `${source}: invalid threshold "${entry.trim()}", expected ${name}=WARNING:CRITICAL`, {
      hint: `For example: ${name}=${EXAMPLES[unit]}`,
    });
  return [name, { warning, critical }];
}

/**
 * The thresholds of a list such as `blocked-time=30s:5min,replica-bytes=64MB:1GB`; those not named are as they come.
 *
 * @throws AisecError USAGE naming the source and the entry.
 */
export function parseThresholds(text: string, source: string): Thresholds {
  const entries = text
    .split(',')
    .filter((entry) => entry.trim() !== '')
    .map((entry) => parseOne(entry, source));
  return { ...THRESHOLDS, ...Object.fromEntries(entries) };
}

/** A threshold in another unit: of milliseconds in seconds, of a share of a whole. */
export function scaled({ warning, critical }: Threshold, factor: number): Threshold {
  return { warning: warning * factor, critical: critical * factor };
}

/** How bad a value is; undefined below the threshold. */
export function levelOf(value: number, { warning, critical }: Threshold): Exclude<Severity, 'notice'> | undefined {
  if (value >= critical) return 'critical';
  return value >= warning ? 'warning' : undefined;
}

/** The worse of several levels. */
export function worstOf(
  ...levels: readonly (Exclude<Severity, 'notice'> | undefined)[]
): Exclude<Severity, 'notice'> | undefined {
  return levels.includes('critical') ? 'critical' : levels.find((level) => level !== undefined);
}
