import { all, createdRelation, namesOf, statementOf, type NodeOf } from '../../../adapters/sql-parser/nodes.js';
import type { Piece } from '../../../adapters/sql-parser/pieces.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import { quoteIdentifier } from '../../../base/identifier.js';

type RangeVar = NodeOf<'RangeVar'>;

/** A relation as a statement names it; without a schema the search_path decides. */
export interface NamedRelation {
  readonly schema: string | undefined;
  readonly name: string;
}

function named({ relname = '', schemaname }: RangeVar = {}): NamedRelation {
  return { schema: schemaname, name: relname };
}

function namedBy(parts: readonly string[]): NamedRelation {
  return { schema: parts.at(-2), name: parts.at(-1) ?? '' };
}

/** What `find` finds in the statements of those pieces that have one of the words. */
async function inStatements<Found>(
  pieces: readonly Piece[],
  words: RegExp,
  find: (statement: Statement) => readonly Found[],
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const piece of pieces) {
    const parsed = words.test(piece.text) ? await parseStatements(piece.text, piece.offset) : undefined;
    if (parsed !== undefined && 'statements' in parsed) found.push(...parsed.statements.flatMap(find));
  }
  return found;
}

/** What a statement creates. */
export interface CreatedObject extends NamedRelation {
  readonly kind: 'relation' | 'routine' | 'type';
  /** Of a routine, the types of its parameters as SQL: `(pg_catalog.int4, "mood"[])`. */
  readonly parameters: string | undefined;
}

function typeText({ names, arrayBounds }: NodeOf<'TypeName'>): string {
  return `${namesOf(names).map(quoteIdentifier).join('.')}${arrayBounds === undefined ? '' : '[]'}`;
}

/** Routines of one name differ in the parameters that a caller gives. */
function parametersOf({ parameters }: NodeOf<'CreateFunctionStmt'>): string {
  const types = all('FunctionParameter', parameters).flatMap(({ argType, mode = '' }) =>
    argType === undefined || ['FUNC_PARAM_OUT', 'FUNC_PARAM_TABLE'].includes(mode) ? [] : [typeText(argType)],
  );
  return `(${types.join(', ')})`;
}

function createdBy(statement: Statement): readonly CreatedObject[] {
  const relation = createdRelation(statement) ?? statementOf('CompositeTypeStmt', statement)?.typevar;
  if (relation !== undefined)
    return relation.relpersistence === 't' ? [] : [{ ...named(relation), kind: 'relation', parameters: undefined }];
  const routine = statementOf('CreateFunctionStmt', statement);
  if (routine !== undefined && routine.replace !== true)
    return [{ ...namedBy(namesOf(routine.funcname)), kind: 'routine', parameters: parametersOf(routine) }];
  const type =
    statementOf('CreateEnumStmt', statement)?.typeName ?? statementOf('CreateDomainStmt', statement)?.domainname;
  return type === undefined ? [] : [{ ...namedBy(namesOf(type)), kind: 'type', parameters: undefined }];
}

/** The tables, views, sequences, routines and types that the statements create and that must not be there yet, temporary ones left out. */
export async function createdObjects(pieces: readonly Piece[]): Promise<readonly CreatedObject[]> {
  return inStatements(pieces, /create/i, createdBy);
}

/** The tables whose rows a statement deletes, and the columns, when it is written out (a DO block is not looked into). */
export interface Deletion extends NamedRelation {
  /** Undefined: the whole table. */
  readonly column: string | undefined;
}

function deletionsOf(statement: Statement): readonly Deletion[] {
  const drop = statementOf('DropStmt', statement);
  if (drop?.removeType === 'OBJECT_TABLE' || drop?.removeType === 'OBJECT_MATVIEW')
    return all('List', drop.objects).map(({ items }) => ({ ...namedBy(namesOf(items)), column: undefined }));
  const emptied = all('RangeVar', statementOf('TruncateStmt', statement)?.relations);
  if (emptied.length > 0) return emptied.map((relation) => ({ ...named(relation), column: undefined }));
  const deleted = statementOf('DeleteStmt', statement);
  if (deleted !== undefined) return [{ ...named(deleted.relation), column: undefined }];
  const alter = statementOf('AlterTableStmt', statement);
  return all('AlterTableCmd', alter?.cmds).flatMap(({ subtype, name }) =>
    subtype === 'AT_DropColumn' ? [{ ...named(alter?.relation), column: name }] : [],
  );
}

/** What the statements delete, as far as the text shows. */
export async function deletions(pieces: readonly Piece[]): Promise<readonly Deletion[]> {
  return inStatements(pieces, /drop|truncate|delete/i, deletionsOf);
}
