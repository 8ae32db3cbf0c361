-- Which tables of a schema inherit from tables of other schemas, and how does each of them end that?
-- Parameters: $1 schema (text)
-- Columns:    statement (text)
-- Needs:      nothing
select
  pg_catalog.format(
    'alter table %I.%I no inherit %I.%I', own_schema.nspname, own.relname, parent_schema.nspname, parent.relname
  ) as statement
from pg_catalog.pg_inherits as inherits
join pg_catalog.pg_class as own on own.oid = inherits.inhrelid
join pg_catalog.pg_namespace as own_schema on own_schema.oid = own.relnamespace
join pg_catalog.pg_class as parent on parent.oid = inherits.inhparent
join pg_catalog.pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
where own_schema.nspname = $1
  and parent.relnamespace <> own.relnamespace
  and own.relkind in ('r', 'f')
  and not own.relispartition
order by inherits.inhrelid, inherits.inhseqno
