import type { Session } from '../../adapters/postgres/session.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { compareHistory, type MigrationStatus } from './history/compare.js';
import { isSameSql } from './history/history-faults.js';
import { createHistoryTables, GRANTEES } from './history/history-sql.js';
import { readHistory } from './history/history.js';
import type { MigrationFile } from './files/migration-file.js';
import { BUNDLED_SOURCE, sourcesOf } from './files/source.js';
import { readOtherSources } from './history/other-sources.js';

/** The migrations, read and checked before anything is opened, and where they go. */
export interface MigrateSettings {
  /** Of all sources, in the order in which they run; each file knows its source. */
  readonly files: readonly MigrationFile[];
  /** `before_up` and `after_up` of each source; none where a schema is only replayed. */
  readonly hooks?: readonly MigrationFile[];
  readonly schema: string;
  readonly extensionSchema: string;
}

/** How long a run waits. */
export interface Waits {
  /** Of one statement, for a lock; every query that comes after it waits as long. */
  readonly lockTimeoutMs: number;
  /** The longest that the run keeps retrying for locks in all. */
  readonly maxWaitMs: number;
  /** For another run. */
  readonly waitMs: number;
}

export interface Comparison {
  /** Of all sources, in the order in which they run; each status knows its source. */
  readonly statuses: readonly MigrationStatus[];
  /** The sources whose history tables are there. */
  readonly recordedSources: ReadonlySet<string>;
  /** Sources that the database has a history of, and no directory was given for. */
  readonly otherSources: readonly string[];
}

/** The files of every source against its history in the database; reads only. */
export async function compareWithDatabase(session: Session, settings: MigrateSettings): Promise<Comparison> {
  const { files, schema } = settings;
  const statuses: MigrationStatus[] = [];
  const recordedSources = new Set<string>();
  const sources = sourcesOf(files);
  for (const source of sources) {
    const own = files.filter((file) => file.source === source);
    const checksums = own.map((file) => file.checksum);
    const history = await readHistory(session, schema, source, checksums);
    if (history.exists) recordedSources.add(source);
    statuses.push(...(await compareHistory(own, history, isSameSql, source)));
  }
  const otherSources = await readOtherSources(session, schema, [...sources, BUNDLED_SOURCE]);
  return { statuses, recordedSources, otherSources };
}

/**
 * What makes the schema and the history tables that a plan needs and that are missing; undefined when none is. Sent at once it is
 * one transaction, so that no table is there without the others.
 */
export function historyToCreate(
  schema: string,
  plan: readonly Pick<MigrationStatus, 'source'>[],
  recordedSources: ReadonlySet<string>,
): string | undefined {
  const missing = sourcesOf(plan).filter((source) => !recordedSources.has(source));
  if (missing.length === 0) return undefined;
  return [createSchema(schema), ...missing.map((source) => createHistoryTables(schema, source))].join('\n');
}

/**
 * Asked first: CREATE SCHEMA IF NOT EXISTS needs the privilege even when there is nothing to create. What default
 * privileges grant on a new schema is revoked; a schema that exists keeps its privileges.
 */
function createSchema(schema: string): string {
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
      execute pg_catalog.format('revoke all on schema %I from %s cascade', ${quoteLiteral(schema)}, grantees);
    end if;
  end if;
end
$create_schema$;`;
}
