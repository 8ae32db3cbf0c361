-- Every object of the database as a table of contents names it: kind, then `schema tag`.
-- Columns: kind (of a few groups), description.
-- Role: any. search_path must be empty, so that types print as pg_dump prints them.
select 'SCHEMA' as kind, '- ' || nspname as description
from pg_catalog.pg_namespace
union all
select 'EXTENSION', '- ' || extname
from pg_catalog.pg_extension
union all
select 'RELATION', nspname || ' ' || relname
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'p', 'f', 'v', 'm', 'S')
union all
select
  'FUNCTION',
  nspname || ' ' || proname || '('
  || coalesce(
    (
      select pg_catalog.string_agg(pg_catalog.format_type(type, null), ', ' order by place)
      from pg_catalog.unnest(proargtypes) with ordinality as argument (type, place)
    ),
    ''
  )
  || ')'
from pg_catalog.pg_proc
join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
union all
select 'TYPE', nspname || ' ' || typname
from pg_catalog.pg_type
join pg_catalog.pg_namespace on pg_namespace.oid = typnamespace
union all
select 'COLLATION', nspname || ' ' || collname
from pg_catalog.pg_collation
join pg_catalog.pg_namespace on pg_namespace.oid = collnamespace
