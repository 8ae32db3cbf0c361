import { aisecCommand, shellWord } from '../../../base/package/aisec-command.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { Finding } from '../../../base/finding.js';
import type { Bounds } from '../files/directives.js';
import { labelOf, type SourcedName } from '../files/source.js';
import type { ExplainedLock, ExplainedStatement } from './explain.js';
import { lockName } from './lock-modes.js';

export interface Measured extends SourcedName {
  /** Of its file. */
  readonly path: string;
  readonly bounds: Bounds;
  /** Null when it did not run. */
  readonly durationMs: number | null;
  readonly explained: readonly ExplainedStatement[];
}

/** The longest hold of a lock that keeps readers or writers waiting; undefined where none was measured. */
export function longestLock(explained: readonly ExplainedStatement[]): ExplainedLock | undefined {
  return explained
    .flatMap(({ locks }) => locks)
    .filter(({ blocks, heldMs }) => blocks !== null && heldMs !== null)
    .toSorted((a, b) => (b.heldMs ?? 0) - (a.heldMs ?? 0))[0];
}

function lockFinding(migration: Measured, schema: string): readonly Finding[] {
  const { bounds, explained, path } = migration;
  const lock = longestLock(explained);
  if (bounds.maxLockMs === null || lock === undefined || (lock.heldMs ?? 0) <= bounds.maxLockMs) return [];
  const [label, held] = [labelOf(migration), formatDurationMs(lock.heldMs ?? 0)];
  return [
    {
      id: `max-lock:${label}`,
      severity: 'critical',
      object: label,
      message: `${label} held ${lockName(lock.mode)} on ${lock.relation} for ${held}, longer than its max-lock of ${formatDurationMs(bounds.maxLockMs)}`,
      impact: `${lock.blocks ?? ''} of ${lock.relation} wait that long; the fix shows the statements that lock it for less`,
      fix: aisecCommand(`migrate lint ${shellWord(path)}`, schema),
    },
  ];
}

function timeFinding(migration: Measured, schema: string): readonly Finding[] {
  const { bounds, durationMs, path } = migration;
  if (bounds.maxTimeMs === null || durationMs === null || durationMs <= bounds.maxTimeMs) return [];
  const label = labelOf(migration);
  return [
    {
      id: `max-time:${label}`,
      severity: 'critical',
      object: label,
      message: `${label} took ${formatDurationMs(durationMs)}, longer than its max-time of ${formatDurationMs(bounds.maxTimeMs)}`,
      impact: 'a deployment waits that long; the fix shows which of its statements could be done another way',
      fix: aisecCommand(`migrate lint ${shellWord(path)}`, schema),
    },
  ];
}

/** Where migrations took more than their files allow. */
export function boundFindings(migrations: readonly Measured[], schema: string): readonly Finding[] {
  return migrations.flatMap((migration) => [...lockFinding(migration, schema), ...timeFinding(migration, schema)]);
}
