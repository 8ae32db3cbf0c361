import { all, createdRelation, namesOf, statementOf } from '../../../adapters/sql-parser/nodes.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { RelationName } from './rule.js';

/** Kinds of DROP whose names are those of relations, or end in something on one. */
const DROPPED_RELATIONS = new Set([
  'OBJECT_TABLE',
  'OBJECT_INDEX',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
]);
const DROPPED_FROM_RELATION = new Set(['OBJECT_TRIGGER', 'OBJECT_POLICY', 'OBJECT_RULE']);

function nameOf(parts: readonly string[]): RelationName {
  const [relname = '', schemaname] = parts.toReversed();
  return { relname, ...(schemaname !== undefined && { schemaname }) };
}

/** The relations that DROP names. */
export function droppedRelations(statement: Pick<Statement, 'node' | 'tree'>): readonly RelationName[] {
  const drop = statementOf('DropStmt', statement);
  const lists = all('List', drop?.objects).map(({ items }) => namesOf(items));
  if (DROPPED_RELATIONS.has(String(drop?.removeType))) return lists.map(nameOf);
  return DROPPED_FROM_RELATION.has(String(drop?.removeType)) ? lists.map((parts) => nameOf(parts.slice(0, -1))) : [];
}

function collect(value: unknown, names: RelationName[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, names);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { relname, schemaname } = value as RelationName;
  if (typeof relname === 'string') names.push({ relname, ...(schemaname !== undefined && { schemaname }) });
  for (const child of Object.values(value)) collect(child, names);
}

/** Every relation that a statement names, wherever. */
export function namedRelations(statement: Pick<Statement, 'node' | 'tree'>): readonly RelationName[] {
  const names: RelationName[] = [...droppedRelations(statement)];
  collect(statement.tree, names);
  return names;
}

/** A key for a map; without a schema the search_path decides. */
export function keyOfRelation({ schemaname, relname = '' }: RelationName): string {
  const name = quoteIdentifier(relname);
  return schemaname === undefined ? name : `${quoteIdentifier(schemaname)}.${name}`;
}

/** The relations that a statement makes. */
export function madeRelations(statement: Pick<Statement, 'node' | 'tree'>): readonly RelationName[] {
  return [createdRelation(statement) ?? []].flat();
}
