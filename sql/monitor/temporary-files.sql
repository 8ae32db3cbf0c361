-- How much disk do temporary files take now, in all tablespaces?
-- Parameters: none
-- Columns:    files (int), total_bytes (bigint), largest_pid (int, who wrote most; null: none), largest_bytes (bigint)
-- Needs:      execute on pg_ls_tmpdir(oid), which pg_monitor has
with files as materialized (
  select
    file.size,
    -- pgsql_tmp4711.0 and pgsql_tmp4711.0.fileset carry the pid.
    pg_catalog.substring(file.name, '^pgsql_tmp(\d+)\.')::int as pid
  from pg_catalog.pg_tablespace as tablespace
  cross join lateral pg_catalog.pg_ls_tmpdir(tablespace.oid) as file
  where tablespace.spcname <> 'pg_global'
),
writers as (
  select
    pid,
    pg_catalog.sum(size)::bigint as size_bytes
  from files
  group by pid
)
select
  (select pg_catalog.count(*)::int from files) as files,
  (select coalesce(pg_catalog.sum(size), 0)::bigint from files) as total_bytes,
  (select pid from writers order by size_bytes desc limit 1) as largest_pid,
  (select pg_catalog.max(size_bytes) from writers) as largest_bytes
