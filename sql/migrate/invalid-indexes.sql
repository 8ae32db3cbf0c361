-- Which indexes of a schema are INVALID, and not being built right now?
-- Parameters: $1 schema (text)
-- Columns:    index_name, table_name
-- Needs:      nothing
-- By the dependencies of the schema, which have an index: a database may hold the tables of a thousand others.
-- The index of a partitioned table (relkind I) is invalid by design until every partition has its part.
select
  index_class.relname as index_name,
  table_class.relname as table_name
from pg_catalog.pg_depend as of_schema
join pg_catalog.pg_class as table_class on table_class.oid = of_schema.objid
join pg_catalog.pg_index as index on index.indrelid = table_class.oid
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
where of_schema.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
  and of_schema.refobjid = (select namespace.oid from pg_catalog.pg_namespace as namespace where namespace.nspname = $1)
  and of_schema.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and not index.indisvalid
  and index_class.relkind = 'i'
  and not exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = index.indexrelid
  )
order by 1
