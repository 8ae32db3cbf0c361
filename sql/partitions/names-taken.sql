-- Which of the names that new partitions would get are in use?
-- Parameters: $1 schema (text), $2 names (text[])
-- Columns:    name, kind (table, view, index, sequence ...)
-- Needs:      nothing
select
  class.relname::text as name,
  case class.relkind
    when 'v' then 'a view'
    when 'm' then 'a materialized view'
    when 'i' then 'an index'
    when 'I' then 'an index'
    when 'S' then 'a sequence'
    when 'c' then 'a type'
    else 'a table'
  end as kind
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relname = any ($2::text[])
