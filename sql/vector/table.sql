-- How large is knowledge_base, and how is a search of it set?
-- Parameters: $1 schema (text)
-- Columns:    isMigrated; isFiltered (row-level security hides rows from this role); heapBlocks (float8);
--             maintenanceBytes (float8, maintenance_work_mem); dimensions (int, 1536 without a limit);
--             hasHalfvec (pgvector 0.7 or newer)
-- Needs:      nothing
select
  class.oid is not null as "isMigrated",
  coalesce(pg_catalog.row_security_active(class.oid), false) as "isFiltered",
  (coalesce(pg_catalog.pg_relation_size(class.oid), 0) / pg_catalog.current_setting('block_size')::int)::float8
    as "heapBlocks",
  pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem'))::float8 as "maintenanceBytes",
  coalesce(nullif(attribute.atttypmod, -1), 1536) as dimensions,
  pg_catalog.to_regtype('halfvec') is not null as "hasHalfvec"
from (select) as always
left join pg_catalog.pg_namespace as namespace on namespace.nspname = $1
left join pg_catalog.pg_class as class
  on class.relnamespace = namespace.oid
  and class.relname = 'knowledge_base'
  and class.relkind = 'r'
left join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attname = 'embedding'
