import { child, children, namesIn, selectIn, textOf, withoutCasts, type Tree } from './syntax-tree.js';

/** What is known of a column of a view. */
export interface ViewColumn {
  readonly isNullable: boolean;
  /** The column of a table or a view that it shows as it is. */
  readonly origin: { readonly relation: string; readonly column: string } | undefined;
}

export interface KnownColumn {
  readonly name: string;
  readonly isNullable: boolean;
}

/** The columns of a relation that is there; undefined for one that is not known. */
export type ColumnsOf = (relation: string) => readonly KnownColumn[] | undefined;

interface Source {
  readonly relation: string;
  /** On the side of an outer join that is filled with nulls. */
  readonly isOptional: boolean;
}

const UNKNOWN: ViewColumn = { isNullable: true, origin: undefined };

/** The relations in FROM by their names there. A subquery is left out: its columns stay unknown. */
function sourcesOf(item: Tree, isOptional: boolean, into: Map<string, Source>): void {
  const table = child(item, 'RangeVar');
  const name = textOf(table, 'relname');
  if (name !== undefined) {
    const schema = textOf(table, 'schemaname');
    const relation = schema === undefined ? name : `${schema}.${name}`;
    into.set(textOf(child(table, 'alias'), 'aliasname') ?? name, { relation, isOptional });
    return;
  }
  const join = child(item, 'JoinExpr');
  if (join === undefined) return;
  const kind = textOf(join, 'jointype');
  const [left, right] = [child(join, 'larg'), child(join, 'rarg')];
  if (left !== undefined) sourcesOf(left, isOptional || kind === 'JOIN_RIGHT' || kind === 'JOIN_FULL', into);
  if (right !== undefined) sourcesOf(right, isOptional || kind === 'JOIN_LEFT' || kind === 'JOIN_FULL', into);
}

function referenced(names: readonly string[], sources: ReadonlyMap<string, Source>, columnsOf: ColumnsOf): ViewColumn {
  const [first = '', second] = names;
  const entry = second === undefined ? [...sources.values()] : [sources.get(first)];
  const [source] = entry;
  if (source === undefined || entry.length !== 1) return UNKNOWN;
  const column = second ?? first;
  const known = columnsOf(source.relation)?.find(({ name }) => name === column);
  if (known === undefined) return UNKNOWN;
  return { isNullable: known.isNullable || source.isOptional, origin: { relation: source.relation, column } };
}

function expressionColumn(
  value: Tree | undefined,
  sources: ReadonlyMap<string, Source>,
  columnsOf: ColumnsOf,
): ViewColumn {
  const plain = withoutCasts(value);
  const reference = child(plain, 'ColumnRef');
  if (reference !== undefined) {
    const column = referenced(namesIn(children(reference, 'fields')), sources, columnsOf);
    return plain === value ? column : { ...column, origin: undefined };
  }
  const constant = child(plain, 'A_Const');
  if (constant !== undefined) return { isNullable: constant['isnull'] === true, origin: undefined };
  if (namesIn(children(child(plain, 'FuncCall'), 'funcname')).at(-1) === 'count')
    return { isNullable: false, origin: undefined };
  const parts = children(child(plain, 'CoalesceExpr'), 'args');
  const isFilled = parts.some((part) => !expressionColumn(part, sources, columnsOf).isNullable);
  return { isNullable: !isFilled, origin: undefined };
}

function columnsOfSelect(select: Tree, columnsOf: ColumnsOf): readonly ViewColumn[] {
  const [left, right] = [child(select, 'larg'), child(select, 'rarg')];
  if (left !== undefined && right !== undefined) {
    const others = columnsOfSelect(right, columnsOf);
    return columnsOfSelect(left, columnsOf).map((column, index) => ({
      isNullable: column.isNullable || (others[index]?.isNullable ?? true),
      // Both branches of all_messages show columns that are declared alike.
      origin: others[index]?.origin === undefined ? undefined : column.origin,
    }));
  }
  const sources = new Map<string, Source>();
  // A CTE may have the name of a table.
  if (child(select, 'withClause') === undefined)
    for (const item of children(select, 'fromClause')) sourcesOf(item, false, sources);
  // GROUPING SETS, ROLLUP and CUBE fill columns with nulls.
  const isGrouped = children(select, 'groupClause').some((item) => child(item, 'GroupingSet') !== undefined);
  return children(select, 'targetList').map((target) => {
    const column = expressionColumn(child(child(target, 'ResTarget'), 'val'), sources, columnsOf);
    return isGrouped ? { ...column, isNullable: true } : column;
  });
}

/**
 * The columns of a view in their order. A column may be null unless that is impossible: it shows a NOT NULL column that
 * no outer join fills with nulls, or is a count, a constant, or coalesce with one of these.
 */
export async function viewColumns(definition: string, columnsOf: ColumnsOf): Promise<readonly ViewColumn[]> {
  const select = await selectIn(definition);
  return select === undefined ? [] : columnsOfSelect(select, columnsOf);
}
