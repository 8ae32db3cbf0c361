-- Which tables, views and columns have no comment?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('%s %s has no comment', kind.word, class.oid::regclass) as message,
  pg_catalog.format('comment on %s %s is ''What it holds.'';', kind.word, class.oid::regclass) as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join (values ('r', 'table'), ('p', 'table'), ('v', 'view')) as kind (relkind, word) on kind.relkind = class.relkind
where namespace.nspname = $1::text
  and not class.relispartition
  and pg_catalog.obj_description(class.oid, 'pg_class') is null
union all
select
  class.oid::regclass::text || '.' || attribute.attname,
  class.relname,
  class.relname,
  pg_catalog.format('column %I of %s has no comment', attribute.attname, class.oid::regclass),
  pg_catalog.format('comment on column %s.%I is ''What it means.'';', class.oid::regclass, attribute.attname)
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p', 'v')
  and not class.relispartition
  and attribute.attnum > 0
  and not attribute.attisdropped
  and pg_catalog.col_description(class.oid, attribute.attnum) is null
order by 1
