-- Which indexes of the schema are INVALID and not being built right now?
-- Parameters: $1 schema (text)
-- Columns:    name, table_name, is_partitioned (index of a partitioned table), definition
-- Needs:      nothing
-- Those of messages, messages_archive and their partitions, and of knowledge_base's vectors, have checks of their own.
select
  index_class.relname::text as name,
  class.relname::text as table_name,
  index_class.relkind = 'I' as is_partitioned,
  pg_catalog.pg_get_indexdef(index.indexrelid) as definition
from pg_catalog.pg_index as index
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
join pg_catalog.pg_class as class on class.oid = index.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_am as method on method.oid = index_class.relam
where namespace.nspname = $1
  and class.relkind in ('r', 'p', 'm')
  and not index.indisvalid
  and method.amname not in ('ivfflat', 'hnsw')
  and not exists (
    select
    from pg_catalog.pg_class as root
    where root.oid = case when class.relispartition then pg_catalog.pg_partition_root(class.oid) else class.oid end
      and root.relname in ('messages', 'messages_archive')
      and root.relnamespace = namespace.oid
      and root.relkind = 'p'
  )
  and not exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = index.indexrelid
  )
order by 1
