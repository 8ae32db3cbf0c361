-- Sets, for the rest of the transaction, how thoroughly the vector indexes are searched, and returns whose rows there are.
-- Parameters: $1 hnsw.ef_search (text, null: leave it), $2 ivfflat.probes (text, null: leave it)
-- Columns:    assistant_ids (uuid[], those of the user, at most 1000; null when row-level security is not in force or
--             there are more), previous (json: the values of the settings before, to be given to restore-settings),
--             is_half (boolean: the vector index is on halfvec), finds_words (boolean: find_knowledge is there)
-- Needs:      SELECT on knowledge_base and assistants
-- An index scan that filters afterwards continues until it has enough rows, in the exact order of distance (pgvector 0.8).
-- https://github.com/pgvector/pgvector#iterative-index-scans
with previous as materialized (
  select pg_catalog.json_object_agg(names.name, pg_catalog.current_setting(names.name, true)) as settings
  from unnest(array['hnsw.iterative_scan', 'ivfflat.iterative_scan', 'hnsw.ef_search', 'ivfflat.probes']) as names (name)
),
settings as materialized (
  select
    previous.settings as previous,
    case when extension.has_iterative_scan then pg_catalog.set_config('hnsw.iterative_scan', 'strict_order', true) end,
    -- ivfflat knows no strict order; the order within relaxed_order is restored by the outer sort of the search.
    case when extension.has_iterative_scan then pg_catalog.set_config('ivfflat.iterative_scan', 'relaxed_order', true) end,
    case when $1::text is not null then pg_catalog.set_config('hnsw.ef_search', $1, true) end,
    case when $2::text is not null then pg_catalog.set_config('ivfflat.probes', $2, true) end
  from (
    select pg_catalog.string_to_array(extversion, '.')::int[] >= array[0, 8] as has_iterative_scan
    from pg_catalog.pg_extension
    where extname = 'vector'
  ) as extension
  cross join previous
),
own as (
  select id
  from assistants
  limit 1001
)
select
  case
    when pg_catalog.row_security_active('knowledge_base') and (select count(*) from own) <= 1000
    then array(select id::text from own)
  end as assistant_ids,
  settings.previous,
  exists (
    select
    from pg_catalog.pg_index as index
    join pg_catalog.pg_opclass as class on class.oid = index.indclass[0]
    where index.indexrelid = pg_catalog.to_regclass('idx_knowledge_base_embedding')
      and index.indisvalid
      and class.opcname = 'halfvec_cosine_ops'
  ) as is_half,
  pg_catalog.to_regprocedure('find_knowledge(text, uuid[], integer)') is not null as finds_words
from settings
