import { aisecVersion } from '../../../base/version.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import type { MigrationFile } from '../files/migration-file.js';

/**
 * The texts that write the history. They are texts with everything quoted, and not parameters, because the offline
 * script consists of the very same ones.
 */
const elapsedMs = '(extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer';

function table(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${name}`;
}

/** pgmigrations exactly as node-pg-migrate makes it, and beside it what that table has no room for. */
export function createHistoryTables(schema: string): string {
  return `create table if not exists ${table(schema, 'pgmigrations')} (
  id serial primary key,
  name varchar(255) not null,
  run_on timestamp not null
);
create table if not exists ${table(schema, 'aisec_migrations')} (
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
comment on table ${table(schema, 'pgmigrations')} is 'Applied migrations, as node-pg-migrate records them';
comment on table ${table(schema, 'aisec_migrations')} is 'Checksum, text and duration of each migration, and how far one without a transaction has come';
`;
}

export function dropHistoryTables(schema: string): string {
  return `drop table ${table(schema, 'pgmigrations')}, ${table(schema, 'aisec_migrations')}`;
}

/** The row of a migration that ran in one transaction; part of that transaction. */
export function recordApplied(schema: string, file: MigrationFile): string {
  return `insert into ${table(schema, 'aisec_migrations')} (name, state, checksum, content, duration_ms, aisec_version)
values (${quoteLiteral(file.name)}, 'applied', ${quoteLiteral(file.checksum)}, ${quoteLiteral(file.content)}, ${elapsedMs}, ${quoteLiteral(aisecVersion())});`;
}

export function forgetApplied(schema: string, name: string): string {
  return `delete from ${table(schema, 'aisec_migrations')} where name = ${quoteLiteral(name)};`;
}

/** The journal of a migration without a transaction: one row, kept up to date statement by statement. */
export function beginJournal(
  schema: string,
  file: MigrationFile,
  state: 'applying' | 'reverting',
  total: number,
): string {
  return `insert into ${table(schema, 'aisec_migrations')} (name, state, checksum, content, statements_total, statements_started, statements_done, duration_ms, aisec_version)
values (${quoteLiteral(file.name)}, '${state}', ${quoteLiteral(file.checksum)}, ${quoteLiteral(file.content)}, ${total}, 0, 0, 0, ${quoteLiteral(aisecVersion())})
on conflict (name) do update
set state = excluded.state, checksum = excluded.checksum, content = excluded.content, statements_total = excluded.statements_total,
    statements_started = 0, statements_done = 0, error = null, aisec_version = excluded.aisec_version;`;
}

/** Takes up a journal where it stopped: the statements that were done stay done, the rest may have been mended. */
export function resumeJournal(schema: string, file: MigrationFile, total: number): string {
  return `update ${table(schema, 'aisec_migrations')}
set checksum = ${quoteLiteral(file.checksum)}, content = ${quoteLiteral(file.content)}, statements_total = ${total}, error = null
where name = ${quoteLiteral(file.name)};`;
}

export function journalStarted(schema: string, name: string, statement: number): string {
  return `update ${table(schema, 'aisec_migrations')} set statements_started = ${statement} where name = ${quoteLiteral(name)};`;
}

/** `durationMs` is a number, or SQL in the offline script. */
export function journalDone(schema: string, name: string, statement: number, durationMs: number): string {
  return `update ${table(schema, 'aisec_migrations')}
set statements_started = ${statement}, statements_done = ${statement}, duration_ms = duration_ms + ${Math.round(durationMs)}
where name = ${quoteLiteral(name)};`;
}

export function journalFailed(schema: string, name: string, statement: number, error: string): string {
  return `update ${table(schema, 'aisec_migrations')}
set statements_started = ${statement - 1}, error = ${quoteLiteral(error)}
where name = ${quoteLiteral(name)};`;
}

/** Ends a journal; sent in one query with the engine's row, so that both are there or neither. */
export function completeJournal(schema: string, name: string): string {
  return `update ${table(schema, 'aisec_migrations')}
set state = 'applied', applied_at = now(), applied_by = session_user
where name = ${quoteLiteral(name)};`;
}
