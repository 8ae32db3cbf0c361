import { DRAINED_COMMENT } from '../../../src/features/messages/partitions/drain/drained.js';
import { monthFromNow, nameOf } from '../partitions/messages.js';
import { clusteredKnowledge } from '../vector/knowledge.js';

/** Settings of a server that are wrong. */
export const WRONG_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  zero_damaged_pages: 'on',
  ignore_checksum_failure: 'on',
  synchronous_commit: 'off',
  autovacuum: 'off',
  track_counts: 'off',
  password_encryption: 'md5',
  max_connections: '20',
  work_mem: '64MB',
  shared_buffers: '64MB',
  archive_mode: 'on',
  archive_command: 'false',
};

/** What doctor says of a database that was just migrated and seeded, on a server as it is delivered. */
export const EXPECTED_NOTICES: readonly string[] = [
  'index-redundant:idx_assistant_skills_assistant_id',
  'index-redundant:idx_assistants_user_id',
  'index-redundant:idx_conversations_user_id',
  'index-redundant:idx_messages_archive_conversation_id',
  'index-redundant:idx_messages_conversation_id',
  'index-redundant:idx_system_settings_key',
  'index-redundant:idx_users_email',
  'index-redundant:idx_users_username',
  'setting-idle-in-transaction-session-timeout:idle_in_transaction_session_timeout',
];

const RLS = 'enable row level security';

/** What is planted, and the ids of the findings it must lead to: these and no others. */
export const FAULTS: readonly (readonly [sql: string, ...ids: readonly string[]])[] = [
  // Row level security, on every kind of table.
  ['alter table voices disable row level security', 'rls-off:voices'],
  ['create table "Odd ""Table" (id int primary key)', 'rls-off:"Odd ""Table"'],
  [
    'create table events (at date primary key) partition by range (at); create policy own on events using (true)',
    'rls-off:events',
  ],
  [
    `create table shut (id int primary key); alter table shut ${RLS}; grant select on shut to authenticated`,
    'rls-no-policy:shut',
  ],
  ['grant select on aisec_migrations to public', 'rls-off:aisec_migrations'],
  ['create role meddler nologin; grant select, delete on pgmigrations to meddler', 'rls-off:pgmigrations'],
  ['grant truncate on avatars to meddler', 'truncate-granted:avatars'],
  // A better match than the one of PostgreSQL.
  [
    'create function lower(varchar) returns text language sql immutable return pg_catalog.lower($1::text)',
    'shadowed:public.lower(character varying)',
  ],
  // The roles that services work as.
  [
    'create role svc_super login superuser; grant authenticated to svc_super with inherit false',
    'app-role-superuser:svc_super',
  ],
  [
    'create role "svc Bypass" login bypassrls; grant authenticated to "svc Bypass" with inherit false',
    'app-role-bypasses-rls:"svc Bypass"',
  ],
  [
    `create role svc_owner login; grant authenticated to svc_owner with inherit false;
     create table owned (id int primary key); alter table owned ${RLS}; alter table owned owner to svc_owner`,
    'app-role-owns-tables:svc_owner',
  ],
  [
    'create role svc_group; grant authenticated to svc_group; create role svc_deep login; grant svc_group to svc_deep',
    'app-role-inherits:svc_deep',
  ],
  ['create role svc login; grant authenticated to svc with inherit true', 'app-role-inherits:svc'],
  [
    'create role svc_right login; grant authenticated to svc_right with inherit false, set true',
    'large-objects:authenticated',
  ],
  ['alter role authenticated login', 'app-role-logs-in:authenticated'],
  ['grant create on schema public to authenticated', 'app-role-creates:authenticated'],
  ['grant select on users to authenticated', 'password-hash-readable:authenticated'],
  // Views and functions that leak.
  [
    'create view plain as select * from conversations; grant select on plain to authenticated',
    'view-owner-privileges:plain',
  ],
  ['create view above as select * from plain', 'view-owner-privileges:above'],
  [
    'create view asking with (security_invoker = t) as select * from files; create view on_asking as select * from asking',
  ],
  ['create view bare with (security_invoker) as select * from files'],
  [
    'create materialized view held as select * from asking; grant select on held to authenticated',
    'view-owner-privileges:held',
  ],
  ['create schema reports; create view reports."All" as select id from users', 'view-owner-privileges:reports."All"'],
  [
    `create function loose(a int, b text) returns int language sql security definer as 'select 1';
     revoke execute on function loose(int, text) from public`,
    'definer-search-path:loose(a integer, b text)',
  ],
  [
    `create function "Open"() returns int language sql security definer set search_path = public, pg_temp as 'select 1'`,
    'definer-for-public:"Open"()',
  ],
  // Policies that call a function for every row.
  [
    `create function is_member(uuid) returns boolean language sql stable as 'select true';
     create table rooms (id uuid primary key); alter table rooms ${RLS};
     create policy as_set on rooms using (id = any (array(select u.id from users u)) or nullif(id::text, '') = '')`,
  ],
  [
    `create table "Calls" (id uuid primary key, by text); alter table "Calls" ${RLS};
     create policy bare on "Calls" using (id = current_user_id());
     create policy wrapped on "Calls" using (by = (select nullif(current_setting('app.user', true), '')));
     create policy setting on "Calls" using (by = coalesce(current_setting('app.user', true), 'x'))`,
    'policy-cost:"Calls".bare',
    'policy-cost:"Calls".setting',
  ],
  ['create policy by_row on rooms using (is_member(id))', 'policy-cost:rooms.by_row'],
  // One that a prepared statement evaluates for the first user, and one that is what it says.
  [
    `create function tenant() returns text language sql immutable as $$ select current_setting('app.tenant', true) $$;
     create function nobody() returns text language sql immutable as $$ select 'nobody' $$;
     create table leases (id uuid primary key, tenant text); alter table leases ${RLS};
     create policy own on leases using (tenant = (select tenant()) and tenant <> nobody())`,
    'policy-immutable:public.tenant()',
  ],
  // Passwords.
  [
    `insert into users (username, email, password_hash) values
       ('admin', 'admin@ai-secretary.local', crypt('admin123', gen_salt('bf', 12))),
       ('weak', 'weak@x', crypt('x', gen_salt('bf', 6))),
       ('other', 'other@x', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA'),
       ('clear', 'clear@x', 'secret')`,
    'default-password:admin',
    'bcrypt-cost:cost-06',
    'password-format:users',
    'password-format:users/argon2id',
  ],
  // Months.
  [`select ensure_message_partitions(3, '${monthFromNow(-9)}-01')`, 'archive-lag:messages'],
  [
    `insert into archive_journal (month, action, partition_name, row_count, row_count_is_exact, file_name, file_sha256, file_rows, started_at, finished_at, tool_version)
     values ('2024-01-01', 'export', 'messages_archive_y2024m01', 1, true, '/not-on-this-machine/2024-01.ndjson', repeat('0', 64), 1, now() - interval '1 day', now() - interval '1 day', '0');
     insert into erasures (hash_key, subject_hash, options, months, erased_at, finished_at, tool_version)
     values (repeat('0', 64), repeat('0', 64), '{}', array['2024-01'], now(), now(), '0')`,
    'archive-erasures:2024-01',
  ],
  [`drop table ${nameOf(monthFromNow(2))}`, 'partition-months-ahead:messages'],
  [
    `drop table ${nameOf(monthFromNow(-3))};
     insert into conversations (user_id) select id from users where username = 'weak';
     insert into messages (conversation_id, role, created_at) select id, 'user', '${monthFromNow(-3)}-07' from conversations`,
    'partition-gap:messages',
    'partition-default-rows:messages',
  ],
  [
    `grant select on ${nameOf(monthFromNow(0))}, ${nameOf(monthFromNow(1))} to svc_right`,
    'partition-grants:messages/svc_right',
  ],
  [
    `alter table ${nameOf(monthFromNow(0))} disable row level security; alter table ${nameOf(monthFromNow(1))} disable row level security`,
    'partition-row-security:messages',
  ],
  [`alter table ${nameOf(monthFromNow(0))} drop constraint message_month_bounds`, 'partition-bound-check:messages'],
  ['create index idx_messages_content_type on only messages (content_type)', 'partition-missing-index:messages'],
  [
    `update pg_index set indisvalid = false where indexrelid = '${nameOf(monthFromNow(1))}_role_idx'::regclass`,
    'partition-invalid-index:messages',
  ],
  [`create role stranger; alter table ${nameOf(monthFromNow(1))} owner to stranger`, 'partition-owner:messages'],
  [`alter table ${nameOf(monthFromNow(1))} disable trigger aisec_follow_message_key`, 'partition-triggers:messages'],
  ['create publication "To all" for table messages', 'partition-publication:"To all"'],
  [
    `create table messages_y2020m01_drain (id int); alter table messages_y2020m01_drain ${RLS}`,
    'partition-drain-leftovers:messages',
  ],
  [
    `create table messages_default_drained_20260101000000 (like messages);
     alter table messages_default_drained_20260101000000 ${RLS};
     comment on table messages_default_drained_20260101000000 is '${DRAINED_COMMENT}'`,
    'partition-drained-table:messages',
  ],
  ['insert into message_keys (id, created_at) values (gen_random_uuid(), now())', 'partition-keys:message_keys'],
  ['create policy "user" on messages_archive using (true)', 'archive-access:policies'],
  ['grant truncate on messages_archive to svc_right', 'archive-access:grants/svc_right'],
  [`alter table messages add column "Extra" int not null default 7`, 'archive-columns:messages_archive'],
  // Indexes.
  [
    "update pg_index set indisvalid = false where indexrelid = 'idx_users_created_at'::regclass",
    'index-invalid:idx_users_created_at',
  ],
  [
    `create table readings (id int, at date, user_id uuid references users, primary key (at, id)) partition by range (at); alter table readings ${RLS};
     create table readings_all partition of readings for values from (minvalue) to (maxvalue); alter table readings_all ${RLS};
     create index "Readings id" on only readings (id)`,
    'index-invalid:"Readings id"',
    'foreign-key-index:readings.readings_user_id_fkey',
  ],
  // An index of some rows serves a key only when it leaves out nothing but nulls of the key itself.
  [
    `create table half_served (id int primary key, note text, own uuid references users, other uuid references users); alter table half_served ${RLS};
     create index on half_served (own) where own is not null;
     create index on half_served (other) where note is not null`,
    'foreign-key-index:half_served.half_served_other_fkey',
  ],
  ['create index "Files again" on files (user_id)', 'index-redundant:"Files again"'],
  [`create index "A stray" on ${nameOf(monthFromNow(-1))} (created_at, role)`, 'index-stray:(created_at, role)'],
  // The index of knowledge_base was made on an empty table.
  [clusteredKnowledge(1100), 'vector-recall:idx_knowledge_base_embedding'],
  // What rows and constraints rely on.
  [
    `create table linked (id int primary key, user_id uuid references users); alter table linked ${RLS};
     create index on linked (user_id); alter table linked disable trigger all`,
    'trigger-disabled:linked',
  ],
  ['alter table "Calls" disable trigger all; alter table files disable trigger user', 'trigger-disabled:files'],
  [
    `insert into rooms values ('00000000-0000-0000-0000-000000000000');
     alter table rooms add constraint "Some rooms" check (id is not null) not valid`,
    'constraint-not-valid:rooms."Some rooms"',
  ],
  [
    `create domain code as text; alter domain code add constraint code_length check (length(value) = 2) not valid`,
    'constraint-not-valid:code.code_length',
  ],
  [`create table log (line text); alter table log ${RLS}`, 'primary-key:log'],
  [
    `create table sent (id int); alter table sent ${RLS}; create publication sending for table sent`,
    'primary-key:sent',
  ],
  // Numbers that run out.
  [
    `create table counted (id serial primary key, old bigserial); alter table counted ${RLS};
     alter sequence counted_old_seq as integer;
     select setval('counted_id_seq', 2000000000), setval('counted_old_seq', 1700000000)`,
    'sequence-end:counted_id_seq',
    'sequence-end:counted_old_seq',
  ],
  [
    `create table aged (id int primary key); alter table aged ${RLS}; insert into aged values (1);
     update pg_class
     set relfrozenxid = ((txid_current() % 4294967296 - 1300000000 + 4294967296) % 4294967296)::text::xid
     where oid = 'aged'::regclass`,
    'transaction-ids:public.aged',
    'vacuum-freeze:aged',
  ],
  ["select pg_create_physical_replication_slot('gone', true)", 'replication-slot:gone'],
  [
    `do $$ begin
       for segment in 1..11 loop
         perform pg_logical_emit_message(false, 'fill', 'x');
         perform pg_switch_wal();
       end loop;
     end $$`,
    'wal-waiting:archiver',
    'wal-archiver:archiver',
  ],
  ['alter system set max_connections = 21', 'setting-pending-restart:max_connections'],
];

export const SETTING_FINDINGS: readonly string[] = [
  'setting-fsync:fsync',
  'setting-full-page-writes:full_page_writes',
  'setting-zero-damaged-pages:zero_damaged_pages',
  'setting-ignore-checksum-failure:ignore_checksum_failure',
  'setting-synchronous-commit:synchronous_commit',
  'setting-autovacuum:autovacuum',
  'setting-track-counts:track_counts',
  'setting-password-encryption:password_encryption',
  'setting-max-connections:max_connections',
];
