import { tableKey, type Edge } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { countText } from '../../../base/count.js';
import { quotedTable, quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { platformReferences } from '../../messages/index.js';
import { tocName } from './table-selection.js';
import type { ErasedUsers } from '../erasures/erasure-record.js';

/** Whose rows are to stay erased. */
export interface ErasedPeople {
  /** Of the platform. */
  readonly schema: string;
  readonly users: ErasedUsers;
}

export interface LeftOutRows {
  readonly warnings: readonly string[];
  /** By `schema table`. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/** Columns of the restored tables that hold the id of a user. */
function userColumns(schema: string, tables: ReadonlySet<string>, keys: readonly Edge[]): readonly Edge[] {
  const users = { schema, table: 'users', columns: ['id'] };
  const own = { name: 'id', schema, table: 'users', columns: ['id'], refersTo: users };
  return [own, ...keys.filter((key) => tableKey(key.refersTo) === tableKey(users) && key.columns.length === 1)].filter(
    (key) => tables.has(tocName(key)),
  );
}

async function erasedIds(session: Session, edge: Edge, users: ErasedUsers): Promise<readonly string[]> {
  const column = quoteIdentifier(edge.columns[0] ?? '');
  const { rows } = await session.query<{ id: string }>(
    `select distinct ${column}::text as id from ${quotedTable(edge)} where ${column} is not null`,
  );
  return rows.map(({ id }) => id).filter((id) => users.find(id) !== undefined);
}

/**
 * Deletes of tables that were just loaded what belongs to people who were erased after the backup was made, and archived
 * messages whose conversation does not exist: no foreign key would find those.
 *
 * @param tables `schema table` of the restored ones
 */
export async function leaveErasedOut(
  session: Session,
  tables: ReadonlySet<string>,
  keys: readonly Edge[],
  { schema, users }: ErasedPeople,
): Promise<LeftOutRows> {
  const leftOut = new Map<string, number>();
  const warnings: string[] = [];
  if (users.size === 0) return { leftOut, warnings };
  const remove = async (edge: Edge, condition: string, why: string): Promise<void> => {
    const { rows } = await session.query<{ key: string; rows: string }>(
      `with deleted as (
         delete from ${quotedTable(edge)} as referring where ${condition} returning tableoid
       )
       select nspname || ' ' || relname as key, pg_catalog.count(*) as rows
       from deleted
       join pg_catalog.pg_class as class on class.oid = deleted.tableoid
       join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
       group by 1`,
    );
    const total = rows.reduce((sum, row) => sum + Number(row.rows), 0);
    if (total === 0) return;
    // Compared with the manifest are the partitions, or the table itself.
    const counts = new Map(rows.map((row) => [row.key, Number(row.rows)])).set(tocName(edge), total);
    for (const [key, count] of counts) leftOut.set(key, (leftOut.get(key) ?? 0) + count);
    warnings.push(`left out: ${countText(total, 'row')} of ${quotedTable(edge)} ${why}`);
  };
  for (const edge of userColumns(schema, tables, keys)) {
    const ids = await erasedIds(session, edge, users);
    const list = ids.map((id) => quoteLiteral(id)).join(', ');
    const condition = `referring.${quoteIdentifier(edge.columns[0] ?? '')}::text in (${list})`;
    if (ids.length > 0) await remove(edge, condition, 'of users who were erased after the backup was made');
  }
  for (const edge of platformReferences(schema).filter(({ columns }) => columns[0] === 'conversation_id'))
    if (tables.has(tocName(edge)))
      await remove(
        edge,
        `not exists (select from ${quotedTable(edge.refersTo)} as referred where referred.id = referring.conversation_id)`,
        'whose conversation does not exist, as of users who were erased',
      );
  return { leftOut, warnings };
}
