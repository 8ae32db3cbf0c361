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

export type TableColumns = ReadonlyMap<TableKey, readonly PersonColumn[]>;

/** Columns with which one can log in: never exported. */
const SECRET = /(^|_)(password|passwd|secret|token|api_key|private_key|totp|otp)(_|$)/;

export function isSecret(column: string): boolean {
  return SECRET.test(column);
}

export async function readColumns(session: Session, keys: readonly TableKey[]): Promise<TableColumns> {
  const { rows } = await session.query<PersonColumn & { readonly table: string }>(sqlFile('user/columns'), [
    keys,
    USER_ROLE,
  ]);
  const byTable = groupBy(rows, ({ table }) => table);
  return new Map(keys.map((key) => [key, byTable.get(key) ?? []]));
}
