import { isRepeatable } from '../files/source.js';
import type { MigrationStatus } from './compare.js';

/** In one source the history's own numbers count, whatever a clock has done since; one that stopped half-way came last. */
function newestFirst(statuses: readonly MigrationStatus[]): MigrationStatus[] {
  return statuses.toSorted(
    (one, other) => (other.entry?.position ?? Infinity) - (one.entry?.position ?? Infinity) || 0,
  );
}

/**
 * The applied migrations but the repeatable ones, the last applied first: the order in which they can be reverted. A late file comes before one
 * with a higher number that was applied earlier, and between sources the times decide.
 */
export function lastAppliedFirst(statuses: readonly MigrationStatus[]): readonly MigrationStatus[] {
  const sources = new Map<string, MigrationStatus[]>();
  for (const status of statuses)
    if (status.entry !== undefined && !isRepeatable(status))
      sources.set(status.source, [...(sources.get(status.source) ?? []), status]);
  // A source that runs later comes first where two times are the same.
  const queues = [...sources.values()].map(newestFirst).toReversed();
  const ordered: MigrationStatus[] = [];
  for (;;) {
    const [next] = queues
      .filter((queue) => queue.length > 0)
      .toSorted((one, other) => timeOf(other[0]) - timeOf(one[0]));
    const status = next?.shift();
    if (status === undefined) return ordered;
    ordered.push(status);
  }
}

function timeOf(status: MigrationStatus | undefined): number {
  const { entry } = status ?? {};
  return entry === undefined || entry.position === null ? Infinity : entry.appliedAt.getTime();
}
