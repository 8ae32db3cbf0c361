/** The units of every time on the command line. `m` is a minute everywhere; a month is `mo`. */
const TIME_UNITS = {
  ms: /^(ms|milliseconds?)$/,
  s: /^(s|sec|seconds?)$/,
  min: /^(m|min|minutes?)$/,
  h: /^(h|hours?)$/,
  d: /^(d|days?)$/,
  w: /^(w|weeks?)$/,
  mo: /^(mo|mon|months?)$/,
  y: /^(y|yr|years?)$/,
} as const;

export type TimeUnit = keyof typeof TIME_UNITS;

/**
 * The number and the unit of a text such as `500ms`, `30d`, `6 months`; undefined when it is none. A unit is required:
 * "6" has been read as seconds, months and milliseconds by others.
 */
export function parseTime(text: string): { readonly amount: number; readonly unit: TimeUnit } | undefined {
  const [, amount, word = ''] = /^(\d{1,15}(?:\.\d+)?)\s*([a-z]+)$/.exec(text.trim().toLowerCase()) ?? [];
  const unit = (Object.keys(TIME_UNITS) as TimeUnit[]).find((each) => TIME_UNITS[each].test(word));
  return amount === undefined || unit === undefined ? undefined : { amount: Number(amount), unit };
}

export const DAY_MS = 86_400_000;

const UNIT_MS: Readonly<Partial<Record<TimeUnit, number>>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 604_800_000,
};

/**
 * Milliseconds of a duration such as `500ms`, `2s`, `5m`, `1h`, `30d` or `0`; undefined when it is none. Months and years
 * are no durations: they differ in length.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const time = parseTime(text);
  const factor = time === undefined ? undefined : UNIT_MS[time.unit];
  return time === undefined || factor === undefined ? undefined : Math.round(time.amount * factor);
}

/** A duration for people: `38 ms`, `1.4 s`, `2 min 5 s`, `3 h 10 min`; from two days on `14 d`, `8 d 8 h`. */
export function formatDurationMs(durationMs: number): string {
  if (Math.round(durationMs) < 1000) return `${Math.round(durationMs)} ms`;
  const tenths = Math.round(durationMs / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
