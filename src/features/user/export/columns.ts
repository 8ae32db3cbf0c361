import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { groupBy } from '../../../base/group-by.js';

/** The role that services act as for a user; its policies say what a user may see. */
export const USER_ROLE = 'authenticated';

export interface PersonColumn {
  readonly name: string;
  readonly type: string;
  readonly isKey: boolean;
  readonly isNullable: boolean;
  /** Whether the role of users may read it. */
  readonly isReadable: boolean;
  readonly isTableReadable: boolean;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly is_key: boolean;
  readonly is_nullable: boolean;
  readonly is_readable: boolean;
  readonly is_table_readable: boolean;
}

/** Columns with which one can log in: never exported. */
const SECRET = /(^|_)(password|passwd|secret|token|api_key|private_key|totp|otp)(_|$)/;

export function isSecret(column: string): boolean {
  return SECRET.test(column);
}

export async function readColumns(
  session: Session,
  keys: readonly TableKey[],
): Promise<ReadonlyMap<TableKey, readonly PersonColumn[]>> {
  const { rows } = await session.query<ColumnRow>(sqlFile('user/columns'), [keys, USER_ROLE]);
  const byTable = groupBy(rows, ({ table }) => table);
  return new Map(
    keys.map((key) => [
      key,
      (byTable.get(key) ?? []).map((row) => ({
        name: row.name,
        type: row.type,
        isKey: row.is_key,
        isNullable: row.is_nullable,
        isReadable: row.is_readable,
        isTableReadable: row.is_table_readable,
      })),
    ]),
  );
}
