-- Which tables have no primary key?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('table %s has no primary key', class.oid::regclass) as message,
  pg_catalog.format('alter table %s add column id bigint generated always as identity primary key;', class.oid::regclass) as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p')
  and not class.relispartition
  and not exists (
    select
    from pg_catalog.pg_index as index
    where index.indrelid = class.oid
      and index.indisprimary
  )
order by 1
