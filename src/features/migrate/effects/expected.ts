import { all, as, namesOf, statementOf, type NodeOf } from '../../../adapters/sql-parser/nodes.js';
import { isConcurrent } from '../../../adapters/sql-parser/concurrent.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import type { LockMode } from './lock-modes.js';

/** A relation that a statement will lock, as it names it. */
export interface ExpectedLock {
  /** Undefined: the search_path decides. */
  readonly schema: string | undefined;
  /** Of a table or of an index; an index stands for its table. */
  readonly name: string;
  readonly mode: LockMode;
  /** Whether it will be read from the first to the last row, or rewritten. */
  readonly work: 'scan' | 'rewrite' | null;
}

type RangeVar = NodeOf<'RangeVar'>;

function locked(
  relation: RangeVar | undefined,
  mode: LockMode,
  work: ExpectedLock['work'] = null,
): readonly ExpectedLock[] {
  if (relation?.relname === undefined) return [];
  return [{ schema: relation.schemaname, name: relation.relname, mode, work }];
}

function lockedByName(parts: readonly string[], mode: LockMode): readonly ExpectedLock[] {
  const name = parts.at(-1);
  return name === undefined ? [] : [{ schema: parts.at(-2), name, mode, work: null }];
}

function hasOption(options: NodeOf<'VacuumStmt'>['options'], name: string): boolean {
  return all('DefElem', options).some(({ defname }) => defname === name);
}

function ofVacuum(tree: NodeOf<'VacuumStmt'>): readonly ExpectedLock[] {
  const isFull = hasOption(tree.options, 'full');
  const work = isFull ? 'rewrite' : tree.is_vacuumcmd === true ? 'scan' : null;
  const mode = isFull ? 'AccessExclusiveLock' : 'ShareUpdateExclusiveLock';
  return all('VacuumRelation', tree.rels).flatMap(({ relation }) => locked(relation, mode, work));
}

/** What ALTER TABLE takes by its commands; those that are not named here take the strongest lock. */
function ofAlterTable(tree: NodeOf<'AlterTableStmt'>): readonly ExpectedLock[] {
  const commands = all('AlterTableCmd', tree.cmds);
  const partitions = commands.flatMap(({ def }) => as('PartitionCmd', def) ?? []);
  const isAll = (...subtypes: readonly string[]): boolean =>
    commands.every(({ subtype }) => subtypes.includes(subtype ?? ''));
  if (isAll('AT_ValidateConstraint')) return locked(tree.relation, 'ShareUpdateExclusiveLock', 'scan');
  if (isAll('AT_SetStatistics', 'AT_SetRelOptions', 'AT_ResetRelOptions', 'AT_ClusterOn', 'AT_DropCluster'))
    return locked(tree.relation, 'ShareUpdateExclusiveLock');
  const ofPartitions = partitions.flatMap(({ name }) => locked(name, 'AccessExclusiveLock'));
  const isGentle = isAll('AT_AttachPartition') || partitions.some(({ concurrent }) => concurrent === true);
  return [...locked(tree.relation, isGentle ? 'ShareUpdateExclusiveLock' : 'AccessExclusiveLock'), ...ofPartitions];
}

function ofDrop(statement: Statement, tree: NodeOf<'DropStmt'>): readonly ExpectedLock[] {
  const mode = isConcurrent(statement) ? 'ShareUpdateExclusiveLock' : 'AccessExclusiveLock';
  const isRelation = ['OBJECT_TABLE', 'OBJECT_INDEX', 'OBJECT_VIEW', 'OBJECT_MATVIEW'].includes(tree.removeType ?? '');
  if (!isRelation) return [];
  return all('List', tree.objects).flatMap(({ items }) => lockedByName(namesOf(items), mode));
}

/**
 * The locks that a statement takes by its kind, for one that cannot be run and rolled back.
 * https://www.postgresql.org/docs/17/explicit-locking.html#LOCKING-TABLES. Empty for those that lock no table, and for
 * blocks and calls, which do what only running them shows.
 */
export function expectedLocks(statement: Statement): readonly ExpectedLock[] {
  const concurrent = isConcurrent(statement);
  const index = statementOf('IndexStmt', statement);
  if (index !== undefined) return locked(index.relation, concurrent ? 'ShareUpdateExclusiveLock' : 'ShareLock', 'scan');
  const reindex = statementOf('ReindexStmt', statement);
  if (reindex !== undefined)
    return locked(reindex.relation, concurrent ? 'ShareUpdateExclusiveLock' : 'ShareLock', 'scan');
  const drop = statementOf('DropStmt', statement);
  if (drop !== undefined) return ofDrop(statement, drop);
  const vacuum = statementOf('VacuumStmt', statement);
  if (vacuum !== undefined) return ofVacuum(vacuum);
  const cluster = statementOf('ClusterStmt', statement);
  if (cluster !== undefined) return locked(cluster.relation, 'AccessExclusiveLock', 'rewrite');
  const refresh = statementOf('RefreshMatViewStmt', statement);
  if (refresh !== undefined)
    return locked(refresh.relation, refresh.concurrent === true ? 'ExclusiveLock' : 'AccessExclusiveLock', 'rewrite');
  const alter = statementOf('AlterTableStmt', statement);
  if (alter !== undefined) return ofAlterTable(alter);
  const write =
    statementOf('UpdateStmt', statement) ??
    statementOf('DeleteStmt', statement) ??
    statementOf('InsertStmt', statement);
  return locked(write?.relation, 'RowExclusiveLock');
}
