import type { Session } from '../../../adapters/postgres/session.js';
import { rollBack } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { startAgain } from '../../../adapters/postgres/start-again.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import type { Reporting } from '../../../base/reporting.js';
import { applyInTransaction, transactionTexts, type RunOptions } from '../apply/apply.js';
import { sectionOf } from '../apply/section.js';
import { applyWithoutTransaction, type Target } from '../apply/apply-without-transaction.js';
import { verificationFailure } from '../apply/verification.js';
import { isInTheWay } from '../apply/repeatable/replace.js';
import type { EffectsObserver, KnownRelation } from '../effects/effects.js';
import { expectStatement } from '../effects/expect-section.js';
import {
  explainedLock,
  explainSection,
  isReported,
  type ExplainedLock,
  type ExplainedSection,
  type ExplainedStatement,
} from '../effects/explain.js';
import type { LockSampler, SampledLock } from '../effects/lock-sampler.js';
import { touchedTables, walPosition } from '../effects/measures.js';
import { placeInSection, type MigrationFile } from '../files/migration-file.js';

export interface MeasuringTools {
  readonly known: ReadonlyMap<number, KnownRelation>;
  readonly observer: EffectsObserver;
  readonly sampler: LockSampler;
}

/** Runs one migration in its transaction, with its history row, statement by statement. */
async function measureTransaction(
  session: Session,
  file: MigrationFile,
  options: RunOptions,
  { observer }: MeasuringTools,
  reporting: Reporting,
): Promise<ExplainedSection> {
  const texts = await transactionTexts(file, 'up', options);
  const position = texts.findIndex((text) => text.startsWith(sectionOf(file, 'up').sql));
  await session.query('select pg_catalog.pg_stat_force_next_flush()');
  observer.startTransaction();
  try {
    await session.query(texts.slice(0, position).join(' '));
    return await explainSection(session, file, options, { observer, holders: [] }, async () => {
      await session.query(texts.slice(position + 1).join('\n'));
    });
  } catch (error) {
    await rollBack(session);
    if (!isInTheWay(file, error)) throw verificationFailure(error, file) ?? error;
    const startedMs = performance.now();
    await applyInTransaction(session, file, 'up', options, reporting);
    return { statements: [], durationMs: Math.round(performance.now() - startedMs) };
  }
}

interface Counters {
  readonly fileNodes: ReadonlyMap<number, number | null>;
  readonly scans: ReadonlyMap<number, number>;
}

async function readCounters(session: Session, { known }: MeasuringTools): Promise<Counters> {
  await session.query('select pg_catalog.pg_stat_force_next_flush()');
  const { rows } = await session.query<{ oid: number; file_node: number | null; scans: number }>(
    sqlFile('migrate/relation-counters'),
    [[...known.keys()]],
  );
  return {
    fileNodes: new Map(rows.map(({ oid, file_node: fileNode }) => [oid, fileNode])),
    scans: new Map(rows.map(({ oid, scans }) => [oid, scans])),
  };
}

function heldLocks(
  sampled: readonly SampledLock[],
  expected: ExplainedStatement,
  { known }: MeasuringTools,
): readonly ExplainedLock[] {
  const seen = sampled.flatMap(({ oid, mode, heldMs }): readonly ExplainedLock[] => {
    const relation = known.get(oid);
    if (relation === undefined || !isReported({ ...relation, mode })) return [];
    return [{ ...explainedLock({ ...relation, mode }, 'end of statement'), heldMs: Math.round(heldMs) }];
  });
  const isSeen = (lock: ExplainedLock): boolean =>
    seen.some(({ relation, mode }) => relation === lock.relation && mode === lock.mode);
  return [...seen, ...expected.locks.filter((lock) => !isSeen(lock))];
}

/** Runs one statement that commits by itself, and reports what it took. */
async function measureAlone(
  session: Session,
  { statement, line }: { readonly statement: Statement; readonly line: number },
  run: () => Promise<void>,
  tools: MeasuringTools,
): Promise<ExplainedStatement> {
  const expected = await expectStatement(session, statement, line, []);
  const before = await readCounters(session, tools);
  const wal = await walPosition(session);
  const startedMs = performance.now();
  const sampled = await tools.sampler.during(run);
  const durationMs = Math.round(performance.now() - startedMs);
  const walBytes = (await walPosition(session)) - wal;
  const after = await readCounters(session, tools);
  const changed = [...tools.known.values()].filter(({ oid }) => {
    const fileNode = after.fileNodes.get(oid) ?? null;
    return fileNode !== null && fileNode !== before.fileNodes.get(oid);
  });
  const rewritten = new Set(changed.map(({ relation }) => relation));
  const read = [...tools.known.values()].filter(
    ({ oid, relation }) => (after.scans.get(oid) ?? 0) > (before.scans.get(oid) ?? 0) && !rewritten.has(relation),
  );
  return {
    ...expected,
    isExecuted: true,
    durationMs,
    walBytes,
    locks: heldLocks(sampled, expected, tools),
    rewritten: await touchedTables(session, [...rewritten], tools.observer.rowsBefore),
    scanned: await touchedTables(
      session,
      read.map(({ relation }) => relation),
    ),
  };
}

async function measureStatements(
  session: Session,
  target: Target,
  options: RunOptions,
  tools: MeasuringTools,
  reporting: Reporting,
): Promise<ExplainedSection> {
  const { file } = target;
  const statements: ExplainedStatement[] = [];
  const startedMs = performance.now();
  await applyWithoutTransaction(session, target, 'up', options, reporting, async (statement, run) => {
    const { line } = placeInSection(file, sectionOf(file, 'up'), statement.offset);
    statements.push(await measureAlone(session, { statement, line }, run, tools));
  });
  const ranMs = statements.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
  return { statements, durationMs: statements.length === 0 ? Math.round(performance.now() - startedMs) : ranMs };
}

/**
 * Applies one migration as `migrate up` does, and measures each of its statements.
 *
 * @throws AisecError as `runOne`.
 */
export async function measureOne(
  session: Session,
  target: Target,
  options: RunOptions,
  tools: MeasuringTools,
  reporting: Reporting,
): Promise<ExplainedSection> {
  await startAgain(session);
  if (target.file.isTransactional) return measureTransaction(session, target.file, options, tools, reporting);
  return measureStatements(session, target, options, tools, reporting);
}
