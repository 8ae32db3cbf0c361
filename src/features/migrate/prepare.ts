import type { Session } from '../../adapters/postgres/session.js';
import { withTransaction } from '../../adapters/postgres/session.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { compareHistory, type MigrationStatus } from './history/compare.js';
import { isSameSql } from './history/history-faults.js';
import { createHistoryTables, GRANTEES } from './history/history-sql.js';
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

/**
 * Asked first: CREATE SCHEMA IF NOT EXISTS needs the privilege even when there is nothing to create. What default
 * privileges grant on a new schema is revoked; a schema that exists keeps its privileges.
 */
export function createSchema(schema: string): string {
  return `do $create_schema$
declare
  grantees text;
begin
  if not exists (select from pg_catalog.pg_namespace where nspname = ${quoteLiteral(schema)}) then
    create schema ${quoteIdentifier(schema)};
    select ${GRANTEES}
    into grantees
    from pg_namespace n
    cross join aclexplode(n.nspacl) p
    where n.nspname = ${quoteLiteral(schema)}
      and p.grantee <> n.nspowner;
    if grantees is not null then
      execute format('revoke all on schema %I from %s cascade', ${quoteLiteral(schema)}, grantees);
    end if;
  end if;
end
$create_schema$;`;
}
