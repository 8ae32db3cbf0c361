-- Every table that holds rows of its own with the columns that a row is written with; those of PostgreSQL and of
-- extensions not, and neither what PostgreSQL computes itself.
-- Columns: schema, table, columns (names in their order).
-- Role: any.
select
  nspname::text as schema,
  relname::text as "table",
  coalesce(
    array_agg(attname::text order by attnum) filter (where attnum > 0 and not attisdropped and attgenerated = ''),
    '{}'
  ) as columns
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
left join pg_catalog.pg_attribute on attrelid = pg_class.oid
where relkind = 'r'
  and relpersistence <> 't'
  and nspname !~ '^pg_'
  and nspname <> 'information_schema'
  and not exists (
    select
    from pg_catalog.pg_depend
    where classid = 'pg_catalog.pg_class'::regclass
      and objid = pg_class.oid
      and deptype = 'e'
  )
group by nspname, relname
order by nspname, relname
