import { formatDurationMs } from '../../../base/duration.js';
import type { IndexFacts } from './index-facts.js';
import type { ReplicaScans } from './replica-scans.js';

/**
 * `kept`: it is needed whatever the counters say; `undecided`: they do not count for long enough, or are not the only ones
 * that matter; `stray`: on one partition alone.
 */
export type IndexVerdict = 'used' | 'kept' | 'unused' | 'undecided' | 'redundant' | 'invalid' | 'building' | 'stray';

export interface Judgement {
  readonly verdict: IndexVerdict;
  readonly reason: string;
  /** What fixes it, which a person must decide on; null when there is nothing to do. */
  readonly sql: string | null;
}

/** What the counters can show. */
export interface CounterWindow {
  /** How long they have counted; null when not reported by the server. */
  readonly windowMs: number | null;
  /** From which on no scan means unused. */
  readonly unusedAfterMs: number;
  readonly isInRecovery: boolean;
  /** On which replicas it was looked, too; the window is the shortest of all. */
  readonly replicas: readonly ReplicaScans[];
}

/** A partitioned index cannot be dropped concurrently. */
export function dropIndexSql({ identifier, isPartitioned }: IndexFacts): string {
  // It takes ACCESS EXCLUSIVE on the table and every partition, and no session may wait long behind one that waits for it.
  return isPartitioned
    ? `set lock_timeout = '2s'; drop index ${identifier};`
    : `drop index concurrently ${identifier};`;
}

/** Uniqueness is checked, and replicas are distinguished, without a scan being counted. */
function dutyOf(index: IndexFacts): string | undefined {
  if (index.isPrimary) return 'primary key';
  if (index.isExclusion) return 'exclusion constraint';
  if (index.isReplicaIdentity) return 'replica identity';
  if (index.isReferenced) return 'foreign keys refer to it';
  if (index.isUnique) return 'keeps values unique';
  return undefined;
}

/** No scan, and yet a reason to be. */
function useOf(index: IndexFacts): string | undefined {
  if (index.foreignKeys.length > 0)
    return `finds the rows of foreign key ${index.foreignKeys.join(', ')} when the row referred to goes`;
  if (index.isClustered) return 'the table is clustered by it';
  if (index.isExpression) return 'the planner uses the statistics of its expression';
  return undefined;
}

function judgeUnscanned(
  index: IndexFacts,
  { windowMs, unusedAfterMs, isInRecovery, replicas }: CounterWindow,
): Judgement {
  const use = useOf(index);
  if (use !== undefined) return { verdict: 'kept', reason: use, sql: null };
  if (isInRecovery) return { verdict: 'undecided', reason: 'a standby counts its own scans only', sql: null };
  if (windowMs === null || windowMs < unusedAfterMs) {
    const counted = windowMs === null ? 'for an unknown time' : `for ${formatDurationMs(windowMs)}`;
    return {
      verdict: 'undecided',
      reason: `too early: no scan, counted ${counted} of ${formatDurationMs(unusedAfterMs)}`,
      sql: null,
    };
  }
  const where = replicas.length === 0 ? '' : ', here or on a replica';
  return { verdict: 'unused', reason: `no scan in ${formatDurationMs(windowMs)}${where}`, sql: dropIndexSql(index) };
}

/** Replicas count their own scans, and these count as much as those of the server itself. */
function scansElsewhere({ identifier }: IndexFacts, { replicas }: CounterWindow): readonly string[] {
  return replicas.filter(({ scans }) => (scans.get(identifier)?.count ?? 0) > 0).map(({ replica }) => replica.server);
}

export function judgeIndex(index: IndexFacts, window: CounterWindow): Judgement {
  if (index.isBuilding) return { verdict: 'building', reason: 'it is being built', sql: null };
  if (!index.isValid)
    return {
      verdict: 'invalid',
      reason: index.isPartitioned
        ? 'a partition has none'
        : 'its build failed; it costs every write and serves no query',
      sql: index.isPartitioned ? null : `reindex index concurrently ${index.identifier};`,
    };
  if (index.isStray)
    return {
      verdict: 'stray',
      reason: `on ${index.table} alone, the other partitions have none`,
      sql: dropIndexSql(index),
    };
  if (index.coveredBy !== null)
    return {
      verdict: 'redundant',
      reason: `${index.coveredBy} begins with the same columns`,
      sql: dropIndexSql(index),
    };
  const duty = dutyOf(index);
  if (duty !== undefined) return { verdict: 'kept', reason: duty, sql: null };
  if (index.scans > 0) return { verdict: 'used', reason: '', sql: null };
  const elsewhere = scansElsewhere(index, window);
  if (elsewhere.length > 0) return { verdict: 'used', reason: `on ${elsewhere.join(', ')} only`, sql: null };
  return judgeUnscanned(index, window);
}
