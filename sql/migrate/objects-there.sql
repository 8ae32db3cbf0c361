-- Which of these relations, routines and types are there?
-- Parameters: at the same positions: $1 kinds (text[]: relation, routine, type), $2 schemas (text[]), $3 names (text[]),
--             $4 types of the parameters of a routine, in parentheses (text[])
-- Columns:    position (from 1), kind
-- Needs:      nothing
with wanted as (
  select *
  from rows from (
    pg_catalog.unnest($1::text[]),
    pg_catalog.unnest($2::text[]),
    pg_catalog.unnest($3::text[]),
    pg_catalog.unnest($4::text[])
  ) with ordinality as wanted (kind, schema_name, name, parameters, position)
)
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
from wanted
join pg_catalog.pg_namespace as namespace on namespace.nspname = wanted.schema_name
join pg_catalog.pg_class as class
  on class.relnamespace = namespace.oid
  and class.relname = wanted.name
where wanted.kind = 'relation'
union all
select wanted.position::integer, case routine.prokind when 'p' then 'procedure' else 'function' end
from wanted
join pg_catalog.pg_proc as routine
  on routine.oid = pg_catalog.to_regprocedure(
    pg_catalog.format('%I.%I%s', wanted.schema_name, wanted.name, wanted.parameters)
  )
where wanted.kind = 'routine'
union all
select wanted.position::integer, 'type'
from wanted
join pg_catalog.pg_namespace as namespace on namespace.nspname = wanted.schema_name
join pg_catalog.pg_type as type
  on type.typnamespace = namespace.oid
  and type.typname = wanted.name
where wanted.kind = 'type'
order by 1
