import type { CompiledQuery } from 'kysely';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

/** A statement as far as it may be seen by others: without its parameters. */
export interface ObservedStatement {
  /** `SELECT`, `INSERT`, `BEGIN` … */
  readonly operation: string;
  /** The table, where the statement names one. */
  readonly table: string | undefined;
  readonly text: string;
  readonly server: ServerAddress | undefined;
}

/** Sees what a pool does. Without one nothing is measured. */
export interface PoolObserver {
  statement<Result>(statement: ObservedStatement, run: () => Promise<Result>): Promise<Result>;
  scope<Result>(run: () => Promise<Result>): Promise<Result>;
}

interface NamedNode {
  readonly kind: string;
  readonly table?: { readonly identifier?: { readonly name?: string } } | NamedNode;
  readonly into?: NamedNode;
  readonly from?: { readonly froms?: readonly NamedNode[] };
}

const OPERATIONS: Readonly<Record<string, string>> = {
  SelectQueryNode: 'SELECT',
  InsertQueryNode: 'INSERT',
  UpdateQueryNode: 'UPDATE',
  DeleteQueryNode: 'DELETE',
  MergeQueryNode: 'MERGE',
};

function tableOf(node: NamedNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.kind === 'TableNode') {
    const { identifier } = (node.table ?? {}) as { readonly identifier?: { readonly name?: string } };
    return identifier?.name;
  }
  if (node.kind === 'AliasNode') return tableOf((node as unknown as { readonly node?: NamedNode }).node);
  return tableOf(node.into ?? node.from?.froms?.[0] ?? (node.table as NamedNode | undefined));
}

/** What a query does, and to which table, as Kysely knows it; of SQL that was written out only its first word. */
export function describeQuery(query: CompiledQuery): Pick<ObservedStatement, 'operation' | 'table' | 'text'> {
  const node = query.query as unknown as NamedNode;
  const known = OPERATIONS[node.kind];
  const operation = known ?? /^\s*([a-z]+)/i.exec(query.sql)?.[1]?.toUpperCase() ?? 'QUERY';
  return { operation, table: known === undefined ? undefined : tableOf(node), text: query.sql };
}
