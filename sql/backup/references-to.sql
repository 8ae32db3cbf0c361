-- The foreign keys of other tables that refer to any of these.
-- Parameters: $1 schemas and $2 names of the tables, in one order.
-- Columns: schema, table (those that refer, leaves where they are partitioned), constraint_name, referenced.
-- Role: any.
with given as (
  select pg_class.oid
  from unnest($1::text[], $2::text[]) as named (schema, "table")
  join pg_catalog.pg_namespace on nspname = named.schema
  join pg_catalog.pg_class on relnamespace = pg_namespace.oid
    and relname = named."table"
)
select
  nspname::text as schema,
  relname::text as "table",
  conname::text as constraint_name,
  (
    select relname::text
    from pg_catalog.pg_class
    where oid = confrelid
  ) as referenced
from pg_catalog.pg_constraint
join pg_catalog.pg_class on pg_class.oid = conrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where contype = 'f'
  and relkind = 'r'
  and confrelid in (select oid from given)
  and conrelid not in (select oid from given)
order by nspname, relname, conname
