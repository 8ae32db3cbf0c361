-- What does this transaction hold, and what has it read and rewritten so far, of the given relations?
-- Parameters: $1 relations (oid[])
-- Columns:    oid, mode (as in pg_locks; one row each), file_node (null: dropped), scans (sequential, in this transaction)
-- Needs:      nothing
select
  locks.relation::bigint::float8 as oid,
  locks.mode,
  class.relfilenode::bigint::float8 as file_node,
  coalesce(pg_catalog.pg_stat_get_xact_numscans(locks.relation), 0)::float8 as scans
from pg_catalog.pg_locks as locks
left join pg_catalog.pg_class as class on class.oid = locks.relation
where locks.pid = pg_catalog.pg_backend_pid()
  and locks.locktype = 'relation'
  and locks.granted
  and locks.relation = any ($1::oid[])
order by 1, 2
