const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration such as `500ms`, `2s`, `5m`, `1h` or `0`; undefined when it is none.
 * A number without a unit is refused (except 0): "6" has been read as seconds, months and milliseconds by others.
 */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d)$/.exec(text.trim());
  const [, amount, unit] = match ?? [];
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
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
