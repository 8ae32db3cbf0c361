import { piecesOf } from '../../../adapters/sql-parser/pieces.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';
import type { Bounds } from '../files/directives.js';
import type { MigrationFile } from '../files/migration-file.js';
import type { SourcedName } from '../files/source.js';
import { longestLock } from './bounds.js';
import type { ExplainedLock, ExplainedStatement } from './explain.js';

export type TakenLock = Pick<ExplainedLock, 'relation' | 'mode'>;

export interface RehearsedMigration extends SourcedName {
  /** Of its file. */
  readonly path: string;
  /** How many statements of each kind: `create table` 2, `create index` 9. */
  readonly statements: readonly { readonly kind: string; readonly count: number }[];
  /** Locks on relations that were there before; new ones disturb no other session. */
  readonly locks: readonly TakenLock[];
  /** The statements that touch what was there before, each with its locks, what it reads and rewrites, and who waits. */
  readonly explained: readonly ExplainedStatement[];
  /** Why it was not run; null when it was. */
  readonly skippedBecause: string | null;
  /** Of all its statements; null when it was not run. */
  readonly durationMs: number | null;
  /** The longest hold of a lock that keeps readers or writers waiting; null where none was measured. */
  readonly longestLockMs: number | null;
  /** What its file allows. */
  readonly bounds: Bounds;
}

const NOISE = /^(or replace|unique|temporary|temp|recursive|if (not )?exists)\s+/i;

/** `create table`, `comment on`, `insert into`: the first two words that say what a statement does. */
function kindOf(statement: string): string {
  const [verb = '', ...rest] = statement.split(/\s+/);
  const tail =
    rest
      .join(' ')
      .replace(NOISE, '')
      .split(/[\s(]+/)[0] ?? '';
  const isPlain = /^(do|grant|revoke|select|update|truncate|with)$/i.test(verb);
  return (isPlain ? verb : `${verb} ${tail}`).toLowerCase();
}

async function statementCounts(file: MigrationFile): Promise<RehearsedMigration['statements']> {
  const counts = new Map<string, number>();
  const add = (kind: string, count: number): void => void counts.set(kind, (counts.get(kind) ?? 0) + count);
  for (const piece of piecesOf(file.up.sql)) {
    if (piece.inserts !== undefined) {
      add('insert into', piece.inserts);
      continue;
    }
    const parsed = await parseStatements(piece.text, piece.offset);
    if ('error' in parsed) return [];
    for (const { text } of parsed.statements) add(kindOf(text), 1);
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}

function takenLocks(locks: readonly TakenLock[]): readonly TakenLock[] {
  const taken = new Map(locks.map(({ relation, mode }) => [`${relation} ${mode}`, { relation, mode }]));
  return [...taken.keys()].toSorted().flatMap((key) => taken.get(key) ?? []);
}

export interface Trial {
  readonly explained: readonly ExplainedStatement[];
  readonly durationMs: number | null;
  readonly skippedBecause: string | null;
  /** What was locked for it before its first statement. */
  readonly earlierLocks?: readonly TakenLock[];
}

/** The report about one migration, of a dry run and of a rehearsal. */
export async function reportOf(
  file: MigrationFile,
  { explained, durationMs, skippedBecause, earlierLocks = [] }: Trial,
): Promise<RehearsedMigration> {
  const { source, name, path, bounds } = file;
  const executed = explained.filter(({ isExecuted }) => isExecuted);
  return {
    source,
    name,
    path,
    statements: await statementCounts(file),
    locks: takenLocks([...earlierLocks, ...executed.flatMap(({ locks }) => locks)]),
    explained,
    skippedBecause,
    durationMs,
    longestLockMs: longestLock(explained)?.heldMs ?? null,
    bounds,
  };
}
