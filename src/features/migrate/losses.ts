import { piecesOf } from '../../adapters/sql-parser/pieces.js';
import type { Session } from '../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { deletions, type Deletion } from './files/objects.js';
import type { MigrationFile } from './files/migration-file.js';

/** Counting stops there: what is to be decided is the same. */
const COUNTED_TO = 10_000;

/** Rows that a Down section deletes. */
export interface Loss {
  /** `table users`, or `column users.locale` with the rows that have a value. */
  readonly object: string;
  readonly rows: number;
  /** Whether there are more than `rows`. */
  readonly isMore: boolean;
}

async function rowsOf(session: Session, deletion: Deletion, schema: string): Promise<number> {
  const relation = `${quoteIdentifier(deletion.schema ?? schema)}.${quoteIdentifier(deletion.name)}`;
  const { rows: found } = await session.query<{ is_there: boolean }>(
    `select exists (
       select
       from pg_catalog.pg_class as class
       where class.oid = pg_catalog.to_regclass($1)
         and class.relkind in ('r', 'p', 'm')
         and ($2::text is null or exists (
           select
           from pg_catalog.pg_attribute as attribute
           where attribute.attrelid = class.oid
             and attribute.attname = $2
             and not attribute.attisdropped
         ))
     ) as is_there`,
    [relation, deletion.column ?? null],
  );
  if (found[0]?.is_there !== true) return 0;
  const condition = deletion.column === undefined ? '' : ` where ${quoteIdentifier(deletion.column)} is not null`;
  const { rows } = await session.query<{ count: number }>(
    `select pg_catalog.count(*)::integer as count
     from (select from ${relation}${condition} limit ${COUNTED_TO + 1}) as some_rows`,
  );
  return rows[0]?.count ?? 0;
}

/**
 * The rows that reverting the migrations would delete, table by table, as far as their Down sections are written out. Reads only.
 *
 * @throws AisecError PRIVILEGE_MISSING for a table that this role may not read.
 */
export async function findLosses(
  session: Session,
  schema: string,
  migrations: readonly { readonly file: MigrationFile }[],
): Promise<readonly Loss[]> {
  const losses = new Map<string, Loss>();
  for (const { file } of migrations) {
    for (const deletion of await deletions(piecesOf(file.down?.sql ?? ''))) {
      const { schema: inSchema, name, column } = deletion;
      const place = inSchema === undefined ? name : `${inSchema}.${name}`;
      const object = column === undefined ? `table ${place}` : `column ${place}.${column}`;
      if (losses.has(object)) continue;
      const rows = await rowsOf(session, deletion, schema);
      if (rows > 0) losses.set(object, { object, rows: Math.min(rows, COUNTED_TO), isMore: rows > COUNTED_TO });
    }
  }
  return [...losses.values()];
}
