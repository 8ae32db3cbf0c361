-- Which foreign keys join columns of different types?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  key.conname::text as object,
  key.conname::text as name,
  class.relname::text as table_name,
  pg_catalog.format(
    'foreign key %I joins %I (%s) to %I (%s)',
    key.conname,
    referencing.attname,
    pg_catalog.format_type(referencing.atttypid, null),
    referenced.attname,
    pg_catalog.format_type(referenced.atttypid, null)
  ) as message,
  pg_catalog.format(
    'alter table %s alter column %I type %s;',
    class.oid::regclass,
    referencing.attname,
    pg_catalog.format_type(referenced.atttypid, referenced.atttypmod)
  ) as fix
from pg_catalog.pg_constraint as key
join pg_catalog.pg_class as class on class.oid = key.conrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral rows from (pg_catalog.unnest(key.conkey), pg_catalog.unnest(key.confkey)) as pair (own, other)
join pg_catalog.pg_attribute as referencing
  on referencing.attrelid = key.conrelid
  and referencing.attnum = pair.own
join pg_catalog.pg_attribute as referenced
  on referenced.attrelid = key.confrelid
  and referenced.attnum = pair.other
where key.contype = 'f'
  and key.conparentid = 0
  and namespace.nspname = $1::text
  and not class.relispartition
  and referencing.atttypid <> referenced.atttypid
order by 1
