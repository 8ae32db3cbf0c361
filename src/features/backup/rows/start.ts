import { tableIn, type TableKey } from '../../../adapters/catalog/references/reference.js';
import { parseStatements } from '../../../adapters/sql-parser/statements.js';
import { AisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { addMonths, monthStart, type Month } from '../../../base/month.js';
import type { TableName } from '../restore/table-selection.js';

/** Which rows: those of a table that meet a condition, with all that refers to them; or the messages of a month. */
export type RowsWanted =
  { readonly table: TableName; readonly condition: string } | { readonly user: string } | { readonly month: Month };

export interface Start {
  /** The tables to begin with. */
  readonly keys: readonly [TableKey, ...TableKey[]];
  readonly condition: string;
  readonly follows: boolean;
  /** Only partitions that can hold it are loaded. */
  readonly month?: Month;
}

export function startOf({ wanted, schema }: { readonly wanted: RowsWanted; readonly schema: string }): Start {
  if ('month' in wanted) {
    return {
      keys: [tableIn(schema, 'messages'), tableIn(schema, 'messages_archive')],
      condition: `created_at >= ${quoteLiteral(monthStart(wanted.month))} and created_at < ${quoteLiteral(monthStart(addMonths(wanted.month, 1)))}`,
      follows: false,
      month: wanted.month,
    };
  }
  if ('table' in wanted)
    return {
      keys: [tableIn(wanted.table.schema, wanted.table.name)],
      condition: wanted.condition,
      follows: true,
    };
  const user = quoteLiteral(wanted.user);
  return {
    keys: [tableIn(schema, 'users')],
    condition: `id::text = pg_catalog.lower(${user}) or username = ${user} or email = ${user}`,
    follows: true,
  };
}

/** @throws AisecError USAGE for what is not one condition. */
export async function requireCondition({ keys, condition }: Start): Promise<void> {
  const parsed = await parseStatements(`select from ${keys[0]} where (${condition}\n)`);
  if (!('error' in parsed) && parsed.statements.length === 1 && parsed.statements[0]?.node === 'SelectStmt') return;
  throw new AisecError('USAGE', `invalid condition "${condition}", expected one SQL condition`, {
    detail: 'error' in parsed ? `${parsed.error.message}.` : 'It is several statements.',
    hint: `Such as: --rows "users where username = 'x'"`,
  });
}
