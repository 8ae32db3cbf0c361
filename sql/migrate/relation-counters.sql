-- Which files have these relations, and how often were they read from the first to the last row, by all that has ended?
-- Parameters: $1 relations (oid[])
-- Columns:    oid, file_node (null: dropped), scans (sequential; ask for the flush of statistics before)
-- Needs:      nothing
select
  wanted.oid::bigint::float8 as oid,
  class.relfilenode::bigint::float8 as file_node,
  coalesce(pg_catalog.pg_stat_get_numscans(wanted.oid), 0)::float8 as scans
from pg_catalog.unnest($1::oid[]) as wanted (oid)
left join pg_catalog.pg_class as class on class.oid = wanted.oid
order by 1
