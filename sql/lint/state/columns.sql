-- What can be read from and written to each table and view?
-- Parameters: $1 schema (text)
-- Columns:    object (table.column), table_name, name, type, is_required (an INSERT has to give it)
-- Needs:      nothing
select
  pg_catalog.format('%s.%I', class.oid::regclass, attribute.attname) as object,
  class.relname::text as table_name,
  attribute.attname::text as name,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) as type,
  attribute.attnotnull as is_not_null,
  attribute.attnotnull and not attribute.atthasdef and attribute.attidentity = '' as is_required
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p', 'v')
  and not class.relispartition
  and attribute.attnum > 0
  and not attribute.attisdropped
order by 1
