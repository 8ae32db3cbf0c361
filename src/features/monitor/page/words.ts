import { formatBytes } from '../../../base/bytes.js';
import { formatCount } from '../../../base/count.js';
import type { Range } from '../growth/forecast.js';

/** The planner's count: `~60,000`, and `?` for what was never counted. */
export function estimateText(count: number | null): string {
  return count === null ? '?' : `~${formatCount(count)}`;
}

/** `2.1 MB (1.2 MB to 2.4 MB)`. */
export function rangeText({ low, expected, high }: Range): string {
  return `${formatBytes(expected)} (${formatBytes(low)} to ${formatBytes(high)})`;
}

/** `38 %`, `0.4 %`. */
export function percentText(share: number): string {
  return `${share > 0 && share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

/** A number for an attribute. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** `2026-11-25 10:31 UTC` of RFC 3339 in UTC. */
export function momentText(rfc3339: string): string {
  return `${rfc3339.slice(0, 10)} ${rfc3339.slice(11, 16)} UTC`;
}
