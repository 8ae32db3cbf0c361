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
union all
select 'INDEX', nspname || ' ' || relname
from pg_catalog.pg_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('i', 'I')
union all
select 'STATISTICS', nspname || ' ' || stxname
from pg_catalog.pg_statistic_ext
join pg_catalog.pg_namespace on pg_namespace.oid = stxnamespace
union all
select 'POLICY', nspname || ' ' || relname || ' ' || polname
from pg_catalog.pg_policy
join pg_catalog.pg_class on pg_class.oid = polrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'CONSTRAINT', nspname || ' ' || relname || ' ' || conname
from pg_catalog.pg_constraint
join pg_catalog.pg_class on pg_class.oid = conrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'TRIGGER', nspname || ' ' || relname || ' ' || tgname
from pg_catalog.pg_trigger
join pg_catalog.pg_class on pg_class.oid = tgrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
where not tgisinternal
union all
select 'RULE', nspname || ' ' || relname || ' ' || rulename
from pg_catalog.pg_rewrite
join pg_catalog.pg_class on pg_class.oid = ev_class
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'DEFAULT', nspname || ' ' || relname || ' ' || attname
from pg_catalog.pg_attrdef
join pg_catalog.pg_attribute on attrelid = adrelid and attnum = adnum
join pg_catalog.pg_class on pg_class.oid = adrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
union all
select 'PUBLICATION', '- ' || pubname
from pg_catalog.pg_publication
union all
select 'PUBLICATION TABLE', nspname || ' ' || pubname || ' ' || relname
from pg_catalog.pg_publication_rel
join pg_catalog.pg_publication on pg_publication.oid = prpubid
join pg_catalog.pg_class on pg_class.oid = prrelid
join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
