-- Which advisory locks does this session hold beside those of the run?
-- Parameters: $1 the keys to keep (bigint[])
-- Columns:    key
-- Needs:      nothing
-- It is asked after every migration, so it goes past the view pg_locks, which takes as long to plan as this takes in all.
select (locks.classid::bigint << 32) | locks.objid::bigint as key
from pg_catalog.pg_lock_status() as locks
where locks.locktype = 'advisory'
  and locks.pid = pg_catalog.pg_backend_pid()
  and not (locks.objsubid = 1 and ((locks.classid::bigint << 32) | locks.objid::bigint) = any ($1::bigint[]))
