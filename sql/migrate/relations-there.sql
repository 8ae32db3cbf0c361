-- Which of these relations are there?
-- Parameters: $1 schemas (text[]), $2 names (text[]) at the same positions
-- Columns:    position (from 1), kind
-- Needs:      nothing
select
  wanted.position::integer as position,
  case class.relkind
    when 'v' then 'view'
    when 'm' then 'materialized view'
    when 'S' then 'sequence'
    when 'i' then 'index'
    when 'I' then 'index'
    when 'c' then 'type'
    when 'f' then 'foreign table'
    else 'table'
  end as kind
from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) with ordinality as wanted (schema_name, name, position)
join pg_catalog.pg_namespace as namespace on namespace.nspname = wanted.schema_name
join pg_catalog.pg_class as class
  on class.relnamespace = namespace.oid
  and class.relname = wanted.name
order by 1
