import { aisecVersion } from '../../../base/package/version.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import { createHistoryTables, GRANTEES, historyTables, qualified, recordApplied } from '../history/history-sql.js';
import { FOREIGN_TABLE, type RepairAction } from './plan.js';

function nameArray(names: readonly string[]): string {
  return `array[${names.map(quoteLiteral).join(', ')}]`;
}

/** A table that is made here has no privileges but its owner's, whatever default privileges say. */
function revokeAll(relation: string): string {
  return `do $aisec_repair$
declare
  grantees text;
begin
  select ${GRANTEES} into grantees
  from pg_class c
  cross join aclexplode(c.relacl) p
  where c.oid = ${quoteLiteral(relation)}::regclass
    and p.grantee <> c.relowner;
  if grantees is not null then
    execute 'revoke all on table ' || ${quoteLiteral(relation)} || ' from ' || grantees || ' cascade';
  end if;
end
$aisec_repair$;`;
}

function createRepairs(schema: string): string {
  const repairs = qualified(schema, 'aisec_migration_repairs');
  return `create table if not exists ${repairs} (
  id uuid primary key default gen_random_uuid(),
  repaired_at timestamptz not null default now(),
  repaired_by text not null default session_user,
  action text not null,
  migration text not null,
  reason text not null,
  checksum_before text,
  checksum_after text,
  content_before text,
  aisec_version text not null
);
comment on table ${repairs} is 'Changes of the history by aisec migrate repair: who, when and why';
alter table ${repairs} enable row level security;
${revokeAll(repairs)}`;
}

interface Noted {
  readonly schema: string;
  readonly source: string;
  readonly action: string;
  readonly reason: string;
}

/** One row for each migration, with the text that was recorded before. */
function note({ schema, source, action, reason }: Noted, name: string, after: string | null): string {
  return `insert into ${qualified(schema, 'aisec_migration_repairs')} (action, migration, reason, checksum_before, checksum_after, content_before, aisec_version)
select ${quoteLiteral(action)}, ${quoteLiteral(labelOf({ source, name }))}, ${quoteLiteral(reason)}, own.checksum, ${after === null ? 'own.checksum' : quoteLiteral(after)}, own.content, ${quoteLiteral(aisecVersion())}
from (select) as one
left join ${qualified(schema, historyTables(source).own)} as own on own.name = ${quoteLiteral(name)};`;
}

function moveForeign(schema: string, source: string, names: readonly string[]): string {
  const [engine, other] = [qualified(schema, historyTables(source).engine), qualified(schema, FOREIGN_TABLE)];
  return `create table if not exists ${other} (
  id serial primary key,
  name varchar(255) not null,
  run_on timestamp not null
);
${revokeAll(other)}
with moved as (
  delete from ${engine}
  where name = any (${nameArray(names)})
  returning id, name, run_on
)
insert into ${other} (name, run_on)
select name, run_on
from moved
order by id;`;
}

/**
 * Only those that the table still lacks: the plan may be as old as the question that was asked. All rows are numbered again, in the
 * order of the times: `down` reverts the highest number first.
 */
function restoreEngine(schema: string, source: string, names: readonly string[]): string {
  const tables = historyTables(source);
  const [engine, own] = [qualified(schema, tables.engine), qualified(schema, tables.own)];
  return `insert into ${engine} (name, run_on)
select own.name, own.applied_at at time zone 'UTC'
from ${own} as own
where own.name = any (${nameArray(names)})
  and not exists (select from ${engine} as engine where engine.name = own.name)
order by own.applied_at, own.name;
with numbered as (
  select engine.id,
    (select max(id) from ${engine}) + row_number() over (order by coalesce(own.applied_at, engine.run_on at time zone 'UTC'), engine.name) as new_id
  from ${engine} as engine
  left join ${own} as own on own.name = engine.name
)
update ${engine} as engine
set id = numbered.new_id
from numbered
where engine.id = numbered.id;
select setval(pg_get_serial_sequence(${quoteLiteral(engine)}, 'id'), (select max(id) from ${engine}));`;
}

function statementsOf(
  schema: string,
  action: RepairAction,
  files: ReadonlyMap<string, MigrationFile>,
  reason: string,
): readonly string[] {
  const { source } = action;
  const tables = historyTables(source);
  const [own, engine] = [qualified(schema, tables.own), qualified(schema, tables.engine)];
  const noted = { schema, source, action: action.kind, reason };
  const notes = (names: readonly string[]): readonly string[] => names.map((name) => note(noted, name, null));
  switch (action.kind) {
    case 'restore pgmigrations':
      return [restoreEngine(schema, source, action.names), ...notes(action.names)];
    case 'restore aisec_migrations':
      return action.names.flatMap((name) => {
        const file = files.get(labelOf({ source, name }));
        return file === undefined ? [] : [recordApplied(schema, file), note(noted, name, null)];
      });
    case 'move foreign rows':
      return [moveForeign(schema, source, action.names), ...notes(action.names)];
    case 'accept edit': {
      const file = files.get(labelOf(action));
      if (file === undefined) return [];
      return [
        note(noted, action.name, file.checksum),
        `update ${own} set checksum = ${quoteLiteral(file.checksum)}, content = ${quoteLiteral(file.content)} where name = ${quoteLiteral(action.name)};`,
      ];
    }
    case 'rename':
      return [
        note(noted, action.name, null),
        ...[own, engine].map(
          (history) =>
            `update ${history} set name = ${quoteLiteral(action.to)} where name = ${quoteLiteral(action.name)};`,
        ),
      ];
    case 'forget':
      return [
        note(noted, action.name, null),
        ...[own, engine].map((history) => `delete from ${history} where name = ${quoteLiteral(action.name)};`),
      ];
  }
}

/** All actions as one text for one transaction. */
export function repairText(
  schema: string,
  actions: readonly RepairAction[],
  files: readonly MigrationFile[],
  reason: string,
): string {
  const byLabel = new Map(files.map((file) => [labelOf(file), file]));
  return [
    'set local client_min_messages to warning;',
    ...[...new Set(actions.map(({ source }) => source))].map((source) => createHistoryTables(schema, source)),
    createRepairs(schema),
    ...actions.flatMap((action) => statementsOf(schema, action, byLabel, reason)),
  ].join('\n');
}
