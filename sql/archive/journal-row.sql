-- What does one row of the journal say?
-- Parameters: $1 id (bigint)
-- Columns:    id, partition_name, lock_wait_ms, row_count
-- Needs:      the owner of the schema
select
  id::text as id,
  partition_name,
  lock_wait_ms::float8 as lock_wait_ms,
  row_count::float8 as row_count
from archive_journal
where id = $1
