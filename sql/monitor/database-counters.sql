-- What have the databases of this server counted that should be zero, or be watched?
-- Parameters: none
-- Columns:    database_name (null: shared catalogs), is_here, checksum_failures (bigint; null without checksums), last_checksum_failure (text, RFC
--             3339), deadlocks, conflicts, temporary_files, temporary_bytes (bigint, since the counters began)
-- Needs:      nothing
select
  datname::text as database_name,
  datname is not distinct from pg_catalog.current_database() as is_here,
  checksum_failures,
  pg_catalog.to_char(checksum_last_failure at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_checksum_failure,
  deadlocks,
  conflicts,
  temp_files as temporary_files,
  temp_bytes as temporary_bytes
from pg_catalog.pg_stat_database
order by datname nulls first
