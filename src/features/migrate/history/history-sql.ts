import { PIECE_CHARACTERS } from '../../../adapters/sql-parser/pieces.js';
import { aisecVersion } from '../../../base/package/version.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import type { MigrationFile } from '../files/migration-file.js';
import { BUNDLED_SOURCE, isRepeatable, type SourcedName } from '../files/source.js';

/**
 * The texts that write the history. They are texts with everything quoted, and not parameters, because the offline
 * script consists of the very same ones.
 */
const elapsedMs = '(extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer';

/** The names of a source's two tables, without a schema: one as node-pg-migrate makes it, and one beside it of our own. */
export function historyTables(source: string): { readonly engine: string; readonly own: string } {
  const suffix = source === BUNDLED_SOURCE ? '' : `_${source}`;
  return { engine: `pgmigrations${suffix}`, own: `aisec_migrations${suffix}` };
}

/** The names of sources are lower case, digits and underscores, so that they need no quotes. */
export function qualified(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${table}`;
}

function ownTable(schema: string, { source }: Pick<SourcedName, 'source'>): string {
  return qualified(schema, historyTables(source).own);
}

/** The roles that `p`, rows of aclexplode, were granted to: a list for REVOKE. */
export const GRANTEES = `pg_catalog.string_agg(distinct case p.grantee when 0 then 'public' else p.grantee::regrole::text end, ', ')`;

/**
 * pgmigrations exactly as node-pg-migrate makes it, and beside it what that table has no room for. What default
 * privileges grant on a new table is revoked before other sessions see it; what was granted on one that exists stays.
 */
export function createHistoryTables(schema: string, source: string = BUNDLED_SOURCE): string {
  const tables = historyTables(source);
  const [history, ours] = [qualified(schema, tables.engine), qualified(schema, tables.own)];
  return `do $aisec_history$
declare
  made regclass[] := '{}';
  target record;
begin
  if pg_catalog.to_regclass(${quoteLiteral(history)}) is null then
    create table ${history} (
      id serial primary key,
      name varchar(255) not null,
      run_on timestamp not null
    );
    made := made || ${quoteLiteral(history)}::regclass;
  end if;
  if pg_catalog.to_regclass(${quoteLiteral(ours)}) is null then
    create table ${ours} (
      name text primary key,
      state text not null check (state in ('applied', 'applying', 'reverting')),
      checksum text not null,
      content text not null,
      statements_total integer,
      statements_started integer,
      statements_done integer,
      error text,
      duration_ms integer not null,
      applied_at timestamptz not null default now(),
      applied_by text not null default session_user,
      aisec_version text not null
    );
    made := made || ${quoteLiteral(ours)}::regclass;
  end if;
  for target in
    select c.oid::regclass as relation, ${GRANTEES} as grantees
    from pg_class c
    cross join aclexplode(c.relacl) p
    where p.grantee <> c.relowner
      and (
        c.oid = any (made)
        or c.relkind = 'S'
          and exists (
            select
            from pg_depend d
            where d.classid = 'pg_class'::regclass
              and d.objid = c.oid
              and d.refclassid = 'pg_class'::regclass
              and d.refobjid = any (made)
          )
      )
    group by c.oid
  loop
    execute pg_catalog.format('revoke all on table %s from %s cascade', target.relation, target.grantees);
  end loop;
end
$aisec_history$;
comment on table ${history} is 'Applied migrations, as node-pg-migrate records them';
comment on table ${ours} is 'Checksum, text and duration of each migration, and how far one without a transaction has come';
`;
}

/** For a transaction. The repairs of all sources are in one table, which goes with the bundled source. */
export function dropHistoryTables(schema: string, source: string = BUNDLED_SOURCE): string {
  const tables = historyTables(source);
  const drop = `drop table ${qualified(schema, tables.engine)}, ${qualified(schema, tables.own)}`;
  if (source !== BUNDLED_SOURCE) return drop;
  return `set local client_min_messages to warning;
${drop};
drop table if exists ${qualified(schema, 'aisec_migration_repairs')}`;
}

/** A repeatable migration has one row, of the last time. */
const AGAIN = `
on conflict (name) do update
set state = excluded.state, checksum = excluded.checksum, content = excluded.content, duration_ms = excluded.duration_ms,
    applied_at = now(), applied_by = session_user, aisec_version = excluded.aisec_version`;

/** A text of many megabytes is quoted without a copy of it. */
function contentLiteral({ content, checksum }: MigrationFile): string {
  const tag = `$aisec_${checksum}$`;
  return content.length <= PIECE_CHARACTERS || content.includes(tag) ? quoteLiteral(content) : `${tag}${content}${tag}`;
}

/** The row of a migration that ran in one transaction; part of that transaction. */
export function recordApplied(schema: string, file: MigrationFile): string {
  return `insert into ${ownTable(schema, file)} (name, state, checksum, content, duration_ms, aisec_version)
values (${quoteLiteral(file.name)}, 'applied', ${quoteLiteral(file.checksum)}, ${contentLiteral(file)}, ${elapsedMs}, ${quoteLiteral(aisecVersion())})${isRepeatable(file) ? AGAIN : ''};`;
}

/** The rows of a migration whose objects are there already: what a run would have written. */
export function recordBaseline(schema: string, file: MigrationFile): string {
  if (isRepeatable(file)) return recordApplied(schema, file);
  return `insert into ${qualified(schema, historyTables(file.source).engine)} (name, run_on) values (${quoteLiteral(file.name)}, now());
${recordApplied(schema, file)}`;
}

export function forgetApplied(schema: string, file: SourcedName): string {
  return `delete from ${ownTable(schema, file)} where name = ${quoteLiteral(file.name)};`;
}

/** The journal of a migration without a transaction: one row, kept up to date statement by statement. */
export function beginJournal(
  schema: string,
  file: MigrationFile,
  state: 'applying' | 'reverting',
  total: number,
): string {
  return `insert into ${ownTable(schema, file)} (name, state, checksum, content, statements_total, statements_started, statements_done, duration_ms, aisec_version)
values (${quoteLiteral(file.name)}, '${state}', ${quoteLiteral(file.checksum)}, ${contentLiteral(file)}, ${total}, 0, 0, 0, ${quoteLiteral(aisecVersion())})
on conflict (name) do update
set state = excluded.state, checksum = excluded.checksum, content = excluded.content, statements_total = excluded.statements_total,
    statements_started = 0, statements_done = 0, error = null, aisec_version = excluded.aisec_version;`;
}

/** Takes up a journal where it stopped: the statements that were done stay done, the rest may have been changed. */
export function resumeJournal(schema: string, file: MigrationFile, total: number): string {
  return `update ${ownTable(schema, file)}
set checksum = ${quoteLiteral(file.checksum)}, content = ${contentLiteral(file)}, statements_total = ${total}, error = null
where name = ${quoteLiteral(file.name)};`;
}

export function journalStarted(schema: string, file: SourcedName, statement: number): string {
  return `update ${ownTable(schema, file)} set statements_started = ${statement} where name = ${quoteLiteral(file.name)};`;
}

/** `durationMs` is a number, or SQL in the offline script. */
export function journalDone(schema: string, file: SourcedName, statement: number, durationMs: number): string {
  return `update ${ownTable(schema, file)}
set statements_started = ${statement}, statements_done = ${statement}, duration_ms = duration_ms + ${Math.round(durationMs)}
where name = ${quoteLiteral(file.name)};`;
}

export function journalFailed(schema: string, file: SourcedName, statement: number, error: string): string {
  return `update ${ownTable(schema, file)}
set statements_started = ${statement - 1}, error = ${quoteLiteral(error)}
where name = ${quoteLiteral(file.name)};`;
}

/** Ends a journal; sent in one query with the engine's row, so that both are there or neither. */
export function completeJournal(schema: string, file: SourcedName): string {
  return `update ${ownTable(schema, file)}
set state = 'applied', applied_at = now(), applied_by = session_user
where name = ${quoteLiteral(file.name)};`;
}
