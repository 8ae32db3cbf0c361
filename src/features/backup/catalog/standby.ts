import { AisecError } from '../../../base/errors.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { NamedTable } from './left-out.js';

/** What a backup of a standby has to say of it. */
export interface StandbyFacts {
  /** How far it was behind its primary, at most; null where the server does not show it. */
  readonly lagMs: number | null;
  /** A standby has none of their rows, so that they are empty in the backup. */
  readonly unloggedTables: readonly NamedTable[];
}

interface Described {
  readonly createdAt: string;
  readonly standby?: StandbyFacts | null | undefined;
}

/** The moment from which on rows are missing: that of the snapshot, or earlier by as much as a standby was behind. */
export function recoveryPointOf({ createdAt, standby }: Described): Date {
  return new Date(Date.parse(createdAt) - (standby?.lagMs ?? 0));
}

/** @throws AisecError STANDBY_LAG for a standby that is further behind than it may be; a primary never is. */
export function refuseLag(standby: StandbyFacts | null, maxLagMs: number | undefined): void {
  if (standby === null || maxLagMs === undefined) return;
  const { lagMs } = standby;
  if (lagMs !== null && lagMs <= maxLagMs) return;
  const most = formatDurationMs(maxLagMs);
  throw new AisecError(
    'STANDBY_LAG',
    lagMs === null
      ? 'this standby does not show how far it is behind its primary'
      : `this standby is ${formatDurationMs(lagMs)} behind its primary, and at most ${most} were allowed`,
    {
      detail: 'Nothing was written.',
      hint: 'See pg_stat_wal_receiver and pg_is_wal_replay_paused() there, or back the primary up.',
    },
  );
}
