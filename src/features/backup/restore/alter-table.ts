import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { nameIn } from '../contents/toc.js';
import { tocName, type TableSelection } from './table-selection.js';

interface Relation {
  readonly schemaname?: string;
  readonly relname?: string;
}

export interface Constraint {
  readonly contype?: string;
  readonly conname?: string;
  readonly pktable?: Relation;
  readonly fk_attrs?: readonly { readonly String?: { readonly sval?: string } }[];
  readonly pk_attrs?: readonly { readonly String?: { readonly sval?: string } }[];
}

interface AlterTree {
  readonly relation?: Relation;
  readonly cmds?: readonly {
    readonly AlterTableCmd?: { readonly subtype?: string; readonly def?: { readonly Constraint?: Constraint } };
  }[];
}

/** An ALTER of a table or index with its first command, as an archive has them; undefined for another statement. Names are not quoted. */
export function alterTableOf({ node, tree }: Statement):
  | {
      readonly schema: string;
      readonly table: string;
      readonly isAttach: boolean;
      readonly constraint: Constraint | undefined;
    }
  | undefined {
  if (node !== 'AlterTableStmt') return undefined;
  const { relation, cmds } = tree as AlterTree;
  const command = cmds?.[0]?.AlterTableCmd;
  return {
    schema: relation?.schemaname ?? '',
    table: relation?.relname ?? '',
    isAttach: command?.subtype === 'AT_AttachPartition',
    constraint: command?.def?.Constraint,
  };
}

/** Makes a restored table a partition of one that is there, with all its keys and indexes. */
export function attachesToPresent(statement: Statement, { tables }: TableSelection): boolean {
  const alter = alterTableOf(statement);
  if (alter?.isAttach !== true) return false;
  const parent = tocName(alter);
  return !tables.some((table) => nameIn(table) === parent);
}

/** The statements that make keys and indexes, and join those of the partitions to those of their tables. */
export function keysAndIndexes(statements: readonly Statement[]): readonly Statement[] {
  const made = new Set<string>();
  return statements.filter((statement) => {
    const alter = alterTableOf(statement);
    if (alter?.isAttach === true) return made.has(alter.table);
    const { contype = '', conname = '' } = alter?.constraint ?? {};
    const isKey = ['CONSTR_PRIMARY', 'CONSTR_UNIQUE', 'CONSTR_EXCLUSION'].includes(contype);
    if (isKey) made.add(conname);
    if (statement.node === 'IndexStmt') made.add(String(statement.tree['idxname']));
    return isKey || statement.node === 'IndexStmt';
  });
}
