import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { tableKey, type TableKey } from '../../../adapters/catalog/references/reference.js';
import { groupBy } from '../../../base/group-by.js';

/** A column of a table of which rows are taken. */
export interface Column {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** Among the columns of its table, from 1. */
  readonly position: number;
  readonly type: string;
  /** The name of the type below domains and arrays. */
  readonly base: string;
  /** pg_type.typcategory of that type. */
  readonly category: string;
  readonly is_array: boolean;
  readonly is_nullable: boolean;
  readonly is_generated: boolean;
  readonly is_key: boolean;
  readonly sequence: string | null;
  readonly comment: string | null;
  /** Refers to a table that is left out. */
  readonly isCut?: boolean;
}

/** The columns of tables. */
export async function readColumns(
  session: Session,
  keys: readonly TableKey[],
): Promise<ReadonlyMap<TableKey, readonly Column[]>> {
  const { rows } = await session.query<Column>(sqlFile('subset/columns'), [keys]);
  return groupBy(rows, tableKey);
}
