import type { MonitoredVacuum } from './vacuum.js';

/** Where transaction ids run out. */
export const XID_LIMIT = 2 ** 31;

/** Dead rows of all, 0 to 1; null when nothing was counted. */
export function deadShare({ liveRows, deadRows }: MonitoredVacuum): number | null {
  if (liveRows === null || deadRows === null) return null;
  return liveRows + deadRows === 0 ? 0 : deadRows / (liveRows + deadRows);
}
