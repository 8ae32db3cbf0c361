-- Who backs up, what that role may read, and how large the database is.
-- Columns: role_name, server_version (as 17.12), has_vectors, size_bytes, index_size_bytes, table_size_bytes,
--          dense_bytes (of long values and large objects) and largest_table_bytes (all from the statistics, so that nothing
--          has to be locked for it; new tables are not in them).
-- Role: any with CONNECT.
select
  current_user::text as role_name,
  pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) as server_version,
  exists (
    select
    from pg_catalog.pg_attribute
    join pg_catalog.pg_type on pg_type.oid = atttypid
    join pg_catalog.pg_class on pg_class.oid = attrelid
    where typname in ('vector', 'halfvec')
      and relkind = 'r'
  ) as has_vectors,
  pg_catalog.pg_database_size(pg_catalog.current_database()) as size_bytes,
  (
    select coalesce(pg_catalog.sum(relpages), 0)::bigint * pg_catalog.current_setting('block_size')::bigint
    from pg_catalog.pg_class
    where relkind = 'i'
  ) as index_size_bytes,
  table_sizes.*
from (
  select
    coalesce(pg_catalog.sum(pages), 0) * pg_catalog.current_setting('block_size')::bigint as table_size_bytes,
    coalesce(pg_catalog.sum(dense_pages), 0) * pg_catalog.current_setting('block_size')::bigint as dense_bytes,
    coalesce(pg_catalog.max(pages), 0) * pg_catalog.current_setting('block_size')::bigint as largest_table_bytes
  from (
    select
      data.relpages::bigint + coalesce(toast.relpages, 0) as pages,
      case
        when data.oid = 'pg_catalog.pg_largeobject'::regclass then data.relpages
        else coalesce(toast.relpages, 0)
      end as dense_pages
    from pg_catalog.pg_class as data
    left join pg_catalog.pg_class as toast on toast.oid = data.reltoastrelid
    where data.relkind in ('r', 'm')
  ) as each
) as table_sizes
