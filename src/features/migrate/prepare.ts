import type { Session } from '../../adapters/postgres/session.js';
import { withTransaction } from '../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { compareHistory, type MigrationStatus } from './history/compare.js';
import { isSameSql } from './history/history-faults.js';
import { createHistoryTables } from './history/history-sql.js';
import { readHistory } from './history/history.js';
import type { MigrationFile } from './files/migration-file.js';

/** The migrations, read and checked before anything is opened, and where they go. */
export interface MigrateSettings {
  readonly files: readonly MigrationFile[];
  readonly schema: string;
  readonly extensionSchema: string;
}

export interface Comparison {
  readonly statuses: readonly MigrationStatus[];
  /** Whether aisec's own history table is there. */
  readonly hasHistory: boolean;
}

/** Files against the history of the database; reads only. */
export async function compareWithDatabase(session: Session, settings: MigrateSettings): Promise<Comparison> {
  const history = await readHistory(session, settings.schema);
  return { statuses: await compareHistory(settings.files, history, isSameSql), hasHistory: history.exists };
}

/** Makes the schema and the history tables; in one transaction, so that neither is there without the other. */
export async function createHistory(session: Session, schema: string): Promise<void> {
  await withTransaction(session, async () => {
    await session.query(`${createSchema(schema)}\n${createHistoryTables(schema)}`);
  });
}

/** Asked first: CREATE SCHEMA IF NOT EXISTS needs the privilege even when there is nothing to create. */
export function createSchema(schema: string): string {
  const literal = schema.replaceAll("'", "''");
  return `do $create_schema$
begin
  if not exists (select from pg_catalog.pg_namespace where nspname = '${literal}') then
    create schema ${quoteIdentifier(schema)};
  end if;
end
$create_schema$;`;
}
