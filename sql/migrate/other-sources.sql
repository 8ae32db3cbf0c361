-- Which sources of migrations has the schema a history of, beside those that are known? `aisec_migrations_billing` is
-- that of `billing`, also where its `pgmigrations_billing` was dropped; a copy of it, made by CREATE TABLE AS, has no key.
-- Parameters: $1 schema, $2 names of the known sources
-- Columns:    source
-- Needs:      nothing
select history.source
from pg_catalog.pg_class as class
cross join lateral (
  select pg_catalog.substr(class.relname, pg_catalog.length('aisec_migrations_') + 1) as source
) as history
-- Both columns of the index on pg_class: other schemas of the database have tables of the same names.
where class.relnamespace = (select namespace.oid from pg_catalog.pg_namespace as namespace where namespace.nspname = $1)
  and class.relkind = 'r'
  and class.relname like 'aisec\_migrations\_%'
  and not history.source = any ($2::text[])
  and exists (
    select
    from pg_catalog.pg_constraint as key
    where key.conrelid = class.oid
      and key.contype = 'p'
  )
order by history.source
