-- Which tables have more than 60 columns or 12 indexes?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('table %s has %s columns and %s indexes', class.oid::regclass, size.columns, size.indexes) as message,
  null as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select
    (
      select pg_catalog.count(*)
      from pg_catalog.pg_attribute as attribute
      where attribute.attrelid = class.oid
        and attribute.attnum > 0
        and not attribute.attisdropped
    ) as columns,
    (
      select pg_catalog.count(*)
      from pg_catalog.pg_index as index
      where index.indrelid = class.oid
    ) as indexes
) as size
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p')
  and not class.relispartition
  and (size.columns > 60 or size.indexes > 12)
order by 1
