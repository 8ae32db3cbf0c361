-- How large are the partitions of messages and messages_archive?
-- Parameters: $1 schema (text)
-- Columns:    schema, name, rowEstimate (float8; null when never counted), sizeBytes (float8, with indexes and TOAST, parts of
--             a partition included)
-- Needs:      nothing; waits for a session that has a partition locked in ACCESS EXCLUSIVE mode
select
  namespace.nspname::text as schema,
  class.relname::text as name,
  case
    when pg_catalog.pg_stat_get_live_tuples(class.oid) > 0 then pg_catalog.pg_stat_get_live_tuples(class.oid)::float8
    when class.reltuples >= 0 then class.reltuples::bigint
  end as "rowEstimate",
  case
    when class.relkind = 'p' then (
      select coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(tree.relid)), 0)::float8
      from pg_catalog.pg_partition_tree(class.oid) as tree
    )
    else pg_catalog.pg_total_relation_size(class.oid)
  end as "sizeBytes"
from pg_catalog.pg_inherits as inherits
join pg_catalog.pg_class as root on root.oid = inherits.inhparent
join pg_catalog.pg_namespace as root_namespace on root_namespace.oid = root.relnamespace
join pg_catalog.pg_class as class on class.oid = inherits.inhrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where root_namespace.nspname = $1
  and root.relname in ('messages', 'messages_archive')
  and root.relkind = 'p'
