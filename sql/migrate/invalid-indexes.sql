-- Which indexes of a schema are INVALID, and not being built right now?
-- Parameters: $1 schema (text)
-- Columns:    index_name, table_name
-- Needs:      nothing
-- The index of a partitioned table (relkind I) is invalid by design until every partition has its part.
select
  index_class.relname as index_name,
  table_class.relname as table_name
from pg_catalog.pg_index as index
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
join pg_catalog.pg_class as table_class on table_class.oid = index.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = index_class.relnamespace
where namespace.nspname = $1
  and not index.indisvalid
  and index_class.relkind = 'i'
  and not exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = index.indexrelid
  )
order by 1
