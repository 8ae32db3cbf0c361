-- How large the database and its tables were, written by aisec monitor record; growth is computed from it.

-- Up Migration

create table size_records (
  slot           timestamp with time zone primary key,
  measured_at    timestamp with time zone not null default clock_timestamp(),
  database_bytes bigint                   not null,
  tool_version   text                     not null,
  role_name      text                     not null default current_user,
  constraint size_records_not_negative check (database_bytes >= 0)
);

comment on table size_records is 'Sizes recorded by aisec monitor record: one row a time slot, kept for a while.';
comment on column size_records.slot is 'Start of the time slot, in UTC; a second record in the same slot is not written.';
comment on column size_records.measured_at is 'Time of the measurement.';
comment on column size_records.database_bytes is 'Size of the whole database, other schemas included.';
comment on column size_records.tool_version is 'Version of aisec. pii: none';
comment on column size_records.role_name is 'Role that measured. pii: username';

create table size_record_tables (
  slot         timestamp with time zone not null references size_records on delete cascade,
  table_name   text                     not null,
  total_bytes  bigint                   not null,
  heap_bytes   bigint                   not null,
  toast_bytes  bigint                   not null,
  index_bytes  bigint                   not null,
  row_estimate bigint,
  primary key (slot, table_name),
  constraint size_record_tables_not_negative
    check (total_bytes >= 0 and heap_bytes >= 0 and toast_bytes >= 0 and index_bytes >= 0 and row_estimate >= 0)
);

comment on table size_record_tables is
  'Sizes of the tables of this schema in each record: one row a table, partitions counted with it.';
comment on column size_record_tables.slot is 'The record.';
comment on column size_record_tables.table_name is 'Name of the table, without quotes. pii: none';
comment on column size_record_tables.total_bytes is 'All of it: heap, TOAST and indexes.';
comment on column size_record_tables.heap_bytes is 'Rows, with the maps of free space and visibility.';
comment on column size_record_tables.toast_bytes is 'Long values, with their index.';
comment on column size_record_tables.index_bytes is 'Indexes.';
comment on column size_record_tables.row_estimate is 'Rows as the statistics have them; null when never counted.';

do $$
begin
  perform aisec_revoke_all('size_records', 'size_record_tables');
end
$$;

-- No row belongs to a user: a role that is granted SELECT reads all of it.
alter table size_records enable row level security;
alter table size_record_tables enable row level security;
create policy size_records_read on size_records for select using (true);
create policy size_record_tables_read on size_record_tables for select using (true);

-- Down Migration

drop table size_record_tables;
drop table size_records;
