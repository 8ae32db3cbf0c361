import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { RelationFacts } from './rule.js';

interface RelationRow {
  readonly oid: number;
  readonly schema_name: string;
  readonly name: string;
  readonly sql_name: string;
  readonly kind: string;
  readonly parent: string | null;
  readonly partitions: readonly string[];
  readonly columns: RelationFacts['columns'];
  readonly indexes: RelationFacts['indexes'];
  readonly constraints: RelationFacts['constraints'];
  readonly indexed_table: string | null;
  readonly index_definition: string | null;
  readonly options: readonly string[];
}

/** The relation of this name as it is now. @param name as SQL takes it. */
export async function relationFacts(session: Session, name: string): Promise<RelationFacts | undefined> {
  const { rows } = await session.query<RelationRow>(sqlFile('lint/relation'), [name]);
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    oid: row.oid,
    schema: row.schema_name,
    name: row.name,
    sqlName: row.sql_name,
    kind: row.kind,
    parent: row.parent,
    partitions: row.partitions,
    columns: row.columns,
    indexes: row.indexes,
    constraints: row.constraints,
    indexedTable: row.indexed_table,
    indexDefinition: row.index_definition,
    options: row.options,
    rows: undefined,
  };
}
