-- Which vector indexes does knowledge_base have?
-- Parameters: $1 schema (text)
-- Columns:    name, method (ivfflat, hnsw), type (vector, halfvec), options (text[], as given: lists=100), is_valid,
--             is_building, size_bytes (bigint), comment, scans (bigint, since the statistics were reset)
-- Needs:      nothing
select
  index_class.relname::text as name,
  method.amname::text as method,
  case when operators.opcname like 'halfvec%' then 'halfvec' else 'vector' end as type,
  coalesce(index_class.reloptions, '{}') as options,
  index.indisvalid as is_valid,
  exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = index.indexrelid
  ) as is_building,
  pg_catalog.pg_relation_size(index.indexrelid) as size_bytes,
  pg_catalog.obj_description(index.indexrelid, 'pg_class') as comment,
  pg_catalog.pg_stat_get_numscans(index.indexrelid) as scans
from pg_catalog.pg_index as index
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
join pg_catalog.pg_class as class on class.oid = index.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_am as method on method.oid = index_class.relam
join pg_catalog.pg_opclass as operators on operators.oid = index.indclass[0]
where namespace.nspname = $1
  and class.relname = 'knowledge_base'
  and method.amname in ('ivfflat', 'hnsw')
order by index_class.relname
