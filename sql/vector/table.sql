-- How large is knowledge_base, and how is a search of it set?
-- Parameters: $1 schema (text)
-- Columns:    is_migrated; is_filtered (row-level security hides rows from this role); heap_blocks (bigint);
--             maintenance_bytes (bigint, maintenance_work_mem); dimensions (int, null without a limit);
--             has_halfvec (pgvector 0.7 or newer)
-- Needs:      nothing
select
  class.oid is not null as is_migrated,
  coalesce(pg_catalog.row_security_active(class.oid), false) as is_filtered,
  coalesce(pg_catalog.pg_relation_size(class.oid), 0) / pg_catalog.current_setting('block_size')::int as heap_blocks,
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) as maintenance_bytes,
  nullif(attribute.atttypmod, -1) as dimensions,
  pg_catalog.to_regtype('halfvec') is not null as has_halfvec
from (select) as always
left join pg_catalog.pg_namespace as namespace on namespace.nspname = $1
left join pg_catalog.pg_class as class
  on class.relnamespace = namespace.oid
  and class.relname = 'knowledge_base'
  and class.relkind = 'r'
left join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attname = 'embedding'
