import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';

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

async function statementsOf(sql: string): Promise<readonly Statement[]> {
  const parsed = await parseStatements(sql);
  return 'error' in parsed ? [] : parsed.statements;
}

/** The relations that the statements create and that must not be there yet, temporary ones left out. */
export async function createdRelations(sql: string): Promise<readonly NamedRelation[]> {
  return (await statementsOf(sql)).flatMap(({ node, tree }) => {
    if (tree['if_not_exists'] === true || tree['replace'] === true) return [];
    const relation = {
      CreateStmt: tree['relation'],
      ViewStmt: tree['view'],
      CreateSeqStmt: tree['sequence'],
      CreateTableAsStmt: (tree['into'] as { readonly rel?: RangeVar } | undefined)?.rel,
    }[node] as RangeVar | undefined;
    return relation === undefined || relation.relpersistence === 't' ? [] : [named(relation)];
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
export async function deletions(sql: string): Promise<readonly Deletion[]> {
  return (await statementsOf(sql)).flatMap(deletionsOf);
}
