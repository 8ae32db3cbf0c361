import { readCircumstances, type Circumstances } from '../../adapters/inspection/circumstances.js';
import type { Session } from '../../adapters/postgres/session.js';
import { readIndexFacts, type IndexFacts } from './index-facts.js';
import { judgeIndex, type CounterWindow, type Judgement } from './index-verdict.js';
import { readMissingIndexes, type MissingIndex } from './missing-indexes.js';
import type { Report } from './report.js';

export interface MonitoredIndex extends IndexFacts, Judgement {}

export interface IndexesReport extends Report {
  /** How long the counters have counted; null when the server does not tell. */
  readonly windowMs: number | null;
  readonly unusedAfterMs: number;
  readonly totalBytes: number;
  /** Of those that are redundant or unused. */
  readonly savingBytes: number;
  /** Largest first. */
  readonly indexes: readonly MonitoredIndex[];
  readonly missingIndexes: readonly MissingIndex[];
}

function windowOf({ takenAt, countersSince, isInRecovery }: Circumstances, unusedAfterMs: number): CounterWindow {
  const windowMs = countersSince === null ? null : Math.max(0, Date.parse(takenAt) - Date.parse(countersSince));
  return { windowMs, unusedAfterMs, isInRecovery };
}

/**
 * The indexes of a schema, each with a verdict, and the foreign keys that lack one. An index is called unused only after
 * `unusedAfterMs` of counting.
 */
export async function monitorIndexes(session: Session, schema: string, unusedAfterMs: number): Promise<IndexesReport> {
  const circumstances = await readCircumstances(session, schema);
  const facts = await readIndexFacts(session, schema);
  const missingIndexes = await readMissingIndexes(session, schema);
  const window = windowOf(circumstances, unusedAfterMs);
  const indexes = facts
    .map((index) => ({ ...index, ...judgeIndex(index, window) }))
    .toSorted((one, other) => other.sizeBytes - one.sizeBytes || (one.index < other.index ? -1 : 1));
  const idle = indexes.filter(({ verdict }) => verdict === 'unused' || verdict === 'redundant');
  return {
    ...circumstances,
    skipped: [],
    windowMs: window.windowMs,
    unusedAfterMs,
    totalBytes: indexes.reduce((sum, index) => sum + index.sizeBytes, 0),
    savingBytes: idle.reduce((sum, index) => sum + index.sizeBytes, 0),
    indexes,
    missingIndexes,
  };
}
