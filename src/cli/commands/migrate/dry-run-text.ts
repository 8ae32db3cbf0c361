import { formatBytes } from '../../../base/bytes.js';
import { formatCount } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { groupBy } from '../../../base/group-by.js';
import type { DryRunResult } from '../../../features/migrate/dry-run.js';
import type { ExplainedLock, ExplainedStatement, TouchedTable } from '../../../features/migrate/effects/explain.js';
import { describeUser } from '../../../features/migrate/effects/describe-user.js';
import { LOCK_MODES, lockName } from '../../../features/migrate/effects/lock-modes.js';
import type { RehearsedMigration } from '../../../features/migrate/effects/report.js';
import { labelOf } from '../../../features/migrate/files/source.js';
import { findingLines } from '../../terminal/findings.js';
import type { Renderer } from '../../terminal/output.js';

const WIDTH = 80;
const INDENT = ' '.repeat(8);

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** `messages and 12 partitions`: those of one partitioned table are counted, not listed. */
function relationsText(relations: readonly { readonly relation: string; readonly root: string }[]): string {
  return [...groupBy(relations, ({ root }) => root)]
    .map(([root, group]) => {
      const partitions = group.filter(({ relation }) => relation !== root);
      if (partitions.length < 2) return group.map(({ relation }) => relation).join(', ');
      const count = `${partitions.length} partitions`;
      return group.length > partitions.length ? `${root} and ${count}` : `${count} of ${root}`;
    })
    .join(', ');
}

/** One line for the tables of a partitioned one. */
function tableLines(tables: readonly TouchedTable[]): readonly string[] {
  return [...groupBy(tables, ({ root }) => root).values()].map((group) => {
    const counted = group.flatMap(({ rows }) => rows ?? []);
    const rows = counted.reduce((sum, count) => sum + count, 0);
    const count = counted.length === 0 ? 'never counted' : `about ${formatCount(rows)} rows`;
    const sizeBytes = group.reduce((sum, table) => sum + table.sizeBytes, 0);
    return `${relationsText(group)} (${count}, ${formatBytes(sizeBytes)})`;
  });
}

/** `for 1.2 s, until the commit`; a statement that was not run has no time. */
function heldText(group: readonly ExplainedLock[]): string {
  const isUntilCommit = group[0]?.heldUntil === 'commit';
  const heldMs = Math.max(...group.map((lock) => lock.heldMs ?? -1));
  if (heldMs < 0) return isUntilCommit ? 'until the commit' : 'while it runs';
  return `for ${formatDurationMs(heldMs)}${isUntilCommit ? ', until the commit' : ''}`;
}

/** One line for the relations that have the same lock; of several on one relation the strongest. */
function lockLines({ locks }: ExplainedStatement): readonly string[] {
  const strength = ({ mode }: { readonly mode: string }): number => (LOCK_MODES as readonly string[]).indexOf(mode);
  const strongest = locks.filter((lock) =>
    locks.every((other) => other.relation !== lock.relation || strength(other) <= strength(lock)),
  );
  return [...groupBy(strongest, ({ mode }) => mode)].map(([mode, group]) => {
    const blocks = group[0]?.blocks ?? null;
    return `${lockName(mode)} on ${relationsText(group)} ${heldText(group)}${blocks === null ? '' : `: ${blocks} wait`}`;
  });
}

/** Who waits stands on the next line where it does not fit. */
function wrapped(text: string): string {
  return INDENT.length + text.length <= WIDTH ? text : text.replace(/: ([^:]+ wait)$/, `:\n${INDENT}  $1`);
}

function statementLines(statement: ExplainedStatement, paint: Renderer['paint']): readonly string[] {
  const { line, text, durationMs, walBytes, rewritten, scanned, inUseBy, keptWaiting } = statement;
  const head = `  ${String(line).padStart(4)}  ${cut(text, WIDTH - 8)}`;
  const wal = walBytes !== null && walBytes > 0 ? `, ${formatBytes(walBytes)} of WAL` : '';
  return [
    head,
    `${INDENT}${durationMs === null ? 'not executed here, since it cannot be rolled back' : `${formatDurationMs(durationMs)}${wal}`}`,
    ...lockLines(statement).map((lock) => `${INDENT}${wrapped(lock)}`),
    ...tableLines(rewritten).map((table) => `${INDENT}${paint.yellow('rewrites')} ${table}`),
    ...tableLines(scanned).map((table) => `${INDENT}${paint.yellow('reads all of')} ${table}`),
    ...inUseBy.map((user) => `${INDENT}${paint.red('waits for')} ${describeUser(user)}`),
    ...keptWaiting.map((user) => `${INDENT}${paint.red('kept waiting')} ${describeUser(user)}`),
  ];
}

function migrationText(migration: RehearsedMigration, paint: Renderer['paint']): string {
  const { source, name, statements, explained, skippedBecause } = migration;
  const what = statements.map(({ kind, count }) => `${count} ${kind}`).join(', ');
  return [
    paint.bold(labelOf({ source, name })),
    `  ${skippedBecause === null ? '' : `not run: ${skippedBecause}; has `}${what}`,
    ...explained.flatMap((statement) => statementLines(statement, paint)),
  ].join('\n');
}

/** What each migration has, and for each statement that touches what was there: time, locks, reads, writes, who waits. */
export function renderDryRun(result: DryRunResult, { paint }: Renderer): string {
  const texts = result.migrations.map((migration) => migrationText(migration, paint));
  return [...texts, ...(result.findings.length === 0 ? [] : [findingLines(result.findings, paint)])].join('\n');
}
