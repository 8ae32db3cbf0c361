import { countText } from '../../../base/count.js';
import type { MovedTable } from '../../../features/tenant/index.js';
import type { Context } from '../../context.js';
import { lockTimes, type LockOptions } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';

export interface MoveFlags extends LockOptions {
  readonly dryRun: boolean;
}

export function moveOptions(context: Context, flags: MoveFlags) {
  return { schema: context.config.schema, ...lockTimes(flags), isDryRun: flags.dryRun };
}

/** Those that have rows. */
export function renderMoved({ tables }: { readonly tables: readonly MovedTable[] }, { table }: Renderer): string {
  const filled = tables.filter(({ rows }) => rows > 0);
  if (filled.length === 0) return '';
  return table(filled, [
    { title: 'table', value: (row) => row.table },
    { title: 'rows', value: (row) => String(row.rows), align: 'right' },
  ]);
}

export function movedText(tables: readonly MovedTable[]): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${countText(tables.length, 'table')} with ${countText(rows, 'row')}`;
}
