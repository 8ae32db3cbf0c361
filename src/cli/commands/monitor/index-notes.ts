import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { IndexesReport } from '../../../features/monitor/indexes/indexes.js';

/** A rebuild of less is not worth its writes. */
const WORTH_A_REBUILD = { share: 0.5, bytes: 10_000_000 };

function bloatNotes({ indexes }: IndexesReport): readonly string[] {
  return indexes.flatMap(({ index, identifier, bloat, verdict }) =>
    bloat === null ||
    bloat.unusedBytes < WORTH_A_REBUILD.bytes ||
    (bloat.share ?? 0) < WORTH_A_REBUILD.share ||
    verdict === 'unused' ||
    verdict === 'redundant'
      ? []
      : [`${index} would give back ${formatBytes(bloat.unusedBytes)}: reindex index concurrently ${identifier};`],
  );
}

function replicaNotes({ replicas }: IndexesReport): readonly string[] {
  return replicas.map(({ server, isStandby, countersSince, windowMs }) => {
    const since =
      countersSince === null || windowMs === null
        ? 'does not report since when'
        : `counts since ${countersSince}, ${formatDurationMs(windowMs)}`;
    return `Replica ${server} ${since}${isStandby ? '' : '; it is not a standby of this server, so indexes are known by name'}.`;
  });
}

function windowNote({ countersSince, countersSinceEvent, takenAt }: IndexesReport): string {
  if (countersSince === null) return 'The server does not report since when scans are counted.';
  const event =
    countersSinceEvent === 'reset' ? 'the counters were reset' : "the server's first start, last crash or restore";
  return `Scans are counted since ${countersSince} (${event}), ${formatDurationMs(Date.parse(takenAt) - Date.parse(countersSince))}; those of an index made later, since then.`;
}

/** Sums, since when each server counts, and the SQL of each fix. */
export function indexNotes(report: IndexesReport): readonly string[] {
  const { database, indexes, missingIndexes, totalBytes, savingBytes } = report;
  const fixes = indexes.flatMap(({ sql, index, verdict }) => (sql === null ? [] : [`${index} is ${verdict}: ${sql}`]));
  return [
    `${database}: ${indexes.length} indexes, ${formatBytes(totalBytes)}; ${formatBytes(savingBytes)} in redundant and unused ones.`,
    windowNote(report),
    ...replicaNotes(report),
    ...fixes,
    ...bloatNotes(report),
    ...missingIndexes.map(
      ({ table, foreignKey, sql }) => `${table} has no index for foreign key ${foreignKey}: ${sql}`,
    ),
  ];
}
