import type { CatalogColumn } from '../../../adapters/catalog/catalog.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import { bareName, qualified, schemaOf, type TocEntry } from '../contents/toc.js';

/**
 * Columns that a table which is there had in the backup and has no more; undefined where the manifest does not have its columns.
 * DROP … CASCADE takes them along: https://www.postgresql.org/docs/17/ddl-depend.html
 */
export async function lostColumns(
  session: Session,
  { catalog }: Pick<RestorableBackup, 'catalog'>,
  table: TocEntry,
): Promise<readonly CatalogColumn[] | undefined> {
  const schema = schemaOf(table);
  if (catalog?.schema !== schema) return undefined;
  const name = bareName(table);
  const { columns, partitions } = catalog.snapshot;
  const had = [...columns, ...partitions.columns].filter((column) => column.table === name);
  if (had.length === 0) return undefined;
  const { rows } = await session.query<{ name: string }>(
    `select attname as name
     from pg_catalog.pg_attribute
     where attrelid = pg_catalog.to_regclass($1)
       and attnum > 0
       and not attisdropped`,
    [qualified(table)],
  );
  const present = new Set(rows.map((row) => row.name));
  return had.filter((column) => !present.has(column.name));
}
