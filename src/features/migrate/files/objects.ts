import type { Piece } from '../../../adapters/sql-parser/pieces.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import { quoteIdentifier } from '../../../base/identifier.js';

interface RangeVar {
  readonly relname?: string;
  readonly schemaname?: string;
  readonly relpersistence?: string;
}

/** A relation as a statement names it; without a schema the search_path decides. */
export interface NamedRelation {
  readonly schema: string | undefined;
  readonly name: string;
}

function named({ relname = '', schemaname }: RangeVar): NamedRelation {
  return { schema: schemaname, name: relname };
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

interface StringNode {
  readonly String?: { readonly sval?: string };
}

interface TypeName {
  readonly names?: readonly StringNode[];
  readonly arrayBounds?: readonly unknown[];
}

interface Parameter {
  readonly FunctionParameter?: { readonly argType?: TypeName; readonly mode?: string };
}

function wordsOf(names: unknown): readonly string[] {
  return ((names ?? []) as readonly StringNode[]).map(({ String: word }) => word?.sval ?? '');
}

function typeText({ names, arrayBounds }: TypeName): string {
  return `${wordsOf(names).map(quoteIdentifier).join('.')}${arrayBounds === undefined ? '' : '[]'}`;
}

/** Routines of one name differ in the parameters that a caller gives. */
function parametersOf(tree: Statement['tree']): string {
  const types = ((tree['parameters'] ?? []) as readonly Parameter[]).flatMap(({ FunctionParameter: parameter }) =>
    parameter?.argType === undefined || ['FUNC_PARAM_OUT', 'FUNC_PARAM_TABLE'].includes(parameter.mode ?? '')
      ? []
      : [typeText(parameter.argType)],
  );
  return `(${types.join(', ')})`;
}

function createdRelation({ node, tree }: Statement): RangeVar | undefined {
  return {
    CreateStmt: tree['relation'],
    ViewStmt: tree['view'],
    CreateSeqStmt: tree['sequence'],
    CompositeTypeStmt: tree['typevar'],
    CreateTableAsStmt: (tree['into'] as { readonly rel?: RangeVar } | undefined)?.rel,
  }[node] as RangeVar | undefined;
}

/** The tables, views, sequences, routines and types that the statements create and that must not be there yet, temporary ones left out. */
export async function createdObjects(pieces: readonly Piece[]): Promise<readonly CreatedObject[]> {
  return inStatements(pieces, /create/i, (statement): readonly CreatedObject[] => {
    const { node, tree } = statement;
    if (tree['if_not_exists'] === true || tree['replace'] === true) return [];
    const relation = createdRelation(statement);
    if (relation !== undefined)
      return relation.relpersistence === 't' ? [] : [{ ...named(relation), kind: 'relation', parameters: undefined }];
    const names = { CreateFunctionStmt: 'funcname', CreateEnumStmt: 'typeName', CreateDomainStmt: 'domainname' }[node];
    if (names === undefined) return [];
    const words = wordsOf(tree[names]);
    const isRoutine = node === 'CreateFunctionStmt';
    return [
      {
        schema: words.at(-2),
        name: words.at(-1) ?? '',
        kind: isRoutine ? 'routine' : 'type',
        parameters: isRoutine ? parametersOf(tree) : undefined,
      },
    ];
  });
}

interface NameList {
  readonly List?: { readonly items?: readonly { readonly String?: { readonly sval?: string } }[] };
}

/** The tables whose rows a statement deletes, and the columns, when it is written out (a DO block is not looked into). */
export interface Deletion extends NamedRelation {
  /** Undefined: the whole table. */
  readonly column: string | undefined;
}

function deletionsOf({ node, tree }: Statement): readonly Deletion[] {
  if (node === 'DropStmt' && ['OBJECT_TABLE', 'OBJECT_MATVIEW'].includes(String(tree['removeType']))) {
    return ((tree['objects'] ?? []) as readonly NameList[]).map(({ List }) => {
      const parts = (List?.items ?? []).map((item) => item.String?.sval ?? '');
      return { schema: parts.at(-2), name: parts.at(-1) ?? '', column: undefined };
    });
  }
  if (node === 'TruncateStmt')
    return ((tree['relations'] ?? []) as readonly { readonly RangeVar?: RangeVar }[]).map(({ RangeVar: relation }) => ({
      ...named(relation ?? {}),
      column: undefined,
    }));
  if (node === 'DeleteStmt') return [{ ...named(tree['relation'] as RangeVar), column: undefined }];
  if (node !== 'AlterTableStmt') return [];
  const commands = (tree['cmds'] ?? []) as readonly {
    readonly AlterTableCmd?: { readonly subtype?: string; readonly name?: string };
  }[];
  return commands.flatMap(({ AlterTableCmd: command }) =>
    command?.subtype === 'AT_DropColumn' ? [{ ...named(tree['relation'] as RangeVar), column: command.name }] : [],
  );
}

/** What the statements delete, as far as the text shows. */
export async function deletions(pieces: readonly Piece[]): Promise<readonly Deletion[]> {
  return inStatements(pieces, /drop|truncate|delete/i, deletionsOf);
}
