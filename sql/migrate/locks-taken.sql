-- Which locks does this session hold on the given relations?
-- Parameters: $1 relations (oid[])
-- Columns:    relation, mode
-- Needs:      nothing
select
  locks.relation::regclass::text as relation,
  locks.mode
from pg_catalog.pg_locks as locks
where locks.pid = pg_catalog.pg_backend_pid()
  and locks.locktype = 'relation'
  and locks.granted
  and locks.relation = any ($1::oid[])
order by 1, 2
