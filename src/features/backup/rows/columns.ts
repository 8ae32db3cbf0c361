import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';

export interface RowColumn {
  readonly name: string;
  /** As SQL. */
  readonly type: string;
  readonly isKey: boolean;
  readonly isNullable: boolean;
  readonly sequence: string | null;
}

/** The columns of tables whose rows are taken together, since not all of them need to have the same. */
export class TableColumns {
  private constructor(private readonly byTable: ReadonlyMap<string, readonly RowColumn[]>) {}

  /** @param tables as SQL */
  static async of(session: Session, tables: readonly string[]): Promise<TableColumns> {
    const byTable = new Map<string, readonly RowColumn[]>();
    for (const table of tables) byTable.set(table, await columnsOf(session, table));
    return new TableColumns(byTable);
  }

  /** Each name once, as the first table has it. */
  get all(): readonly RowColumn[] {
    const each = [...this.byTable.values()].flat();
    return each.filter(({ name }, index) => each.findIndex((other) => other.name === name) === index);
  }

  has(table: string, name: string): boolean {
    return this.byTable.get(table)?.some((column) => column.name === name) === true;
  }

  /** As SQL: the value of a column in a table, or null where that has none. */
  value(table: string, alias: string, { name, type }: RowColumn): string {
    const column = quoteIdentifier(name);
    return this.has(table, name) ? `${alias}.${column}` : `null::${type} as ${column}`;
  }
}

async function columnsOf(session: Session, table: string): Promise<readonly RowColumn[]> {
  const { rows } = await session.query<{
    readonly name: string;
    readonly type: string;
    readonly is_key: boolean;
    readonly is_nullable: boolean;
    readonly sequence: string | null;
  }>(sqlFile('backup/row-columns'), [table]);
  return rows.map(({ is_key: isKey, is_nullable: isNullable, ...column }) => ({ ...column, isKey, isNullable }));
}
