import { CompiledQuery } from 'kysely';

import { clientSql } from '../adapters/postgres/client-sql.js';
import { AisecError } from '../base/errors.js';
import { SCHEMA_COLUMNS } from '../schema/columns.js';
import type { AnyDatabase } from './any-database.js';

const MOST_NAMED = 5;

interface MissingRow {
  readonly table_name: string;
  /** Null when the whole table is missing. */
  readonly column_name: string | null;
}

/**
 * Looks once, at the start of a service, whether the database has every table and column that this version of the package
 * knows. One query of the catalog, which every role may read; a newer database has more, and passes.
 *
 * @throws AisecError MIGRATION_PENDING naming what is missing.
 * @example
 * const db = createDatabase();
 * await assertSchema(db);
 */
export async function assertSchema(db: AnyDatabase): Promise<void> {
  const wanted = JSON.stringify(SCHEMA_COLUMNS);
  const query = CompiledQuery.raw(clientSql('missing-columns'), [wanted]);
  const { rows } = await db.withoutPlugins().getExecutor().executeQuery<MissingRow>(query);
  if (rows.length === 0) return;
  const names = rows.map(({ table_name: table, column_name: column }) =>
    column === null ? `table ${table}` : `column ${table}.${column}`,
  );
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  throw new AisecError('MIGRATION_PENDING', 'the database lacks what this version of aisec needs', {
    detail: `Missing: ${names.slice(0, MOST_NAMED).join(', ')}${more}.`,
    hint: 'Run: aisec migrate up. If it has run, look at the search_path of the role and at the address of the database.',
  });
}
