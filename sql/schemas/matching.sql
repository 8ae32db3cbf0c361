-- Which schemas does a pattern match, and what is in them?
-- Parameters: $1 patterns of LIKE (text[])
-- Columns:    schema_name, has_history (aisec has migrated it, or node-pg-migrate), is_empty (nothing is in it)
-- Needs:      nothing
select
  namespaces.nspname as schema_name,
  exists (
    select
    from pg_catalog.pg_class as tables
    where tables.relnamespace = namespaces.oid
      and tables.relname in ('aisec_migrations', 'pgmigrations')
      and tables.relkind in ('r', 'p')
  ) as has_history,
  -- Each catalog is read once: no index begins with the schema, and asked for each one the time would grow with the square.
  namespaces.oid not in (select distinct objects.relnamespace from pg_catalog.pg_class as objects)
    and namespaces.oid not in (select distinct objects.pronamespace from pg_catalog.pg_proc as objects)
    and namespaces.oid not in (select distinct objects.typnamespace from pg_catalog.pg_type as objects) as is_empty
from pg_catalog.pg_namespace as namespaces
where namespaces.nspname like any ($1::text[])
  and namespaces.nspname not like 'pg\_%'
  and namespaces.nspname <> 'information_schema'
order by namespaces.nspname collate "C"
