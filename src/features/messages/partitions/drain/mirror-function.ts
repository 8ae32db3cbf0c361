import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import { addMonths, monthStart } from '../../../../base/month.js';
import type { Copy, DrainSet } from './copies.js';
import { differencesTable, mirrorFunction, truncationFunction } from './objects.js';

/** Runs a statement on the copy that a row belongs to. */
function onCopyOf(row: 'old' | 'new', copies: readonly Copy[], statement: (table: string) => string): string {
  const months = copies.flatMap((copy) => (copy.month === null ? [] : [{ ...copy, month: copy.month }]));
  const rest = copies.find(({ month }) => month === null);
  const branches = months.map(({ month, table }, position) => {
    const range =
      `${row}.created_at >= ${quoteLiteral(monthStart(month))}::timestamptz ` +
      `and ${row}.created_at < ${quoteLiteral(monthStart(addMonths(month, 1)))}::timestamptz`;
    return `${position === 0 ? 'if' : 'elsif'} ${range} then\n      ${statement(table)}`;
  });
  if (rest === undefined) throw new Error('a drain has a copy of the rest');
  if (branches.length === 0) return statement(rest.table);
  return `${branches.join('\n    ')}\n    else\n      ${statement(rest.table)}\n    end if;`;
}

/**
 * The trigger functions. Each change of the default partition is made to the copy as well, in the writer's own transaction,
 * so that both are equal in every MVCC snapshot. A change that finds no row, or one too many, notes the id: the row had been
 * changed before the triggers were there, or its copy is newer than the snapshot of a REPEATABLE READ transaction.
 */
export function mirrorFunctionStatements({ schema, columns, copies }: DrainSet): string {
  const differences = differencesTable(schema);
  const remove = onCopyOf(
    'old',
    copies,
    (table) => `delete from ${table} where id = old.id and created_at = old.created_at;`,
  );
  const list = columns.join(', ');
  const values = columns.map((column) => `new.${column}`).join(', ');
  const insert = onCopyOf(
    'new',
    copies,
    (table) => `insert into ${table} (${list}) values (${values}) on conflict do nothing;`,
  );
  const settings = `
    security definer
    set search_path to ${quoteIdentifier(schema)}, pg_temp
    set row_security to off
    set enable_seqscan to off`;
  return `
create function ${mirrorFunction(schema)} returns trigger language plpgsql ${settings}
as $mirror$
begin
  if tg_op <> 'INSERT' then
    ${remove}
    if not found then
      insert into ${differences} (id) values (old.id);
      return null;
    end if;
  end if;
  if tg_op <> 'DELETE' then
    ${insert}
    if not found then
      insert into ${differences} (id) values (new.id);
    end if;
  end if;
  return null;
end
$mirror$;
create function ${truncationFunction(schema)} returns trigger language plpgsql ${settings}
as $mirror$
begin
  insert into ${differences} (id) values (null);
  return null;
end
$mirror$;`;
}
