-- Which vector indexes does knowledge_base have?
-- Parameters: $1 schema (text)
-- Columns:    name, method (ivfflat, hnsw), type (vector, halfvec), lists (of ivfflat), m and efConstruction (of hnsw),
--             isValid, isBuilding, sizeBytes (float8), comment
-- Needs:      nothing
-- Where an option is not given, pgvector's own default counts: https://github.com/pgvector/pgvector#index-options
select
  index_class.relname::text as name,
  method.amname::text as method,
  case when operators.opcname like 'halfvec%' then 'halfvec' else 'vector' end as type,
  case method.amname when 'ivfflat' then coalesce(given.lists, 100) end as lists,
  case method.amname when 'hnsw' then coalesce(given.m, 16) end as m,
  case method.amname when 'hnsw' then coalesce(given.ef_construction, 64) end as "efConstruction",
  index.indisvalid as "isValid",
  exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = index.indexrelid
  ) as "isBuilding",
  pg_catalog.pg_relation_size(index.indexrelid)::float8 as "sizeBytes",
  pg_catalog.obj_description(index.indexrelid, 'pg_class') as comment
from pg_catalog.pg_index as index
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
join pg_catalog.pg_class as class on class.oid = index.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_am as method on method.oid = index_class.relam
join pg_catalog.pg_opclass as operators on operators.oid = index.indclass[0]
cross join lateral (
  select
    max(item.option_value::int) filter (where item.option_name = 'lists') as lists,
    max(item.option_value::int) filter (where item.option_name = 'm') as m,
    max(item.option_value::int) filter (where item.option_name = 'ef_construction') as ef_construction
  from pg_catalog.pg_options_to_table(index_class.reloptions) as item
) as given
where namespace.nspname = $1
  and class.relname = 'knowledge_base'
  and method.amname in ('ivfflat', 'hnsw')
order by index_class.relname
