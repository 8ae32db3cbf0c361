-- Which locks on relations does a session hold now?
-- Parameters: $1 its pid (int)
-- Columns:    oid, mode (as in pg_locks)
-- Needs:      nothing
select
  locks.relation::bigint::float8 as oid,
  locks.mode
from pg_catalog.pg_locks as locks
where locks.pid = $1
  and locks.locktype = 'relation'
  and locks.granted
