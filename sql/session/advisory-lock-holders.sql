-- Who holds the session advisory lock $1 of this database?
-- Parameters: $1 key (bigint)
-- Columns:    pid, role_name, application_name, client_address, age_ms (since the session began)
-- Needs:      nothing
select
  locks.pid,
  activity.usename as role_name,
  activity.application_name,
  activity.client_addr::text as client_address,
  (extract(epoch from pg_catalog.clock_timestamp() - activity.backend_start) * 1000)::bigint as age_ms
from pg_catalog.pg_locks as locks
join pg_catalog.pg_stat_activity as activity on activity.pid = locks.pid
where locks.locktype = 'advisory'
  and locks.granted
  and locks.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and locks.classid = ($1::bigint >> 32)::oid
  and locks.objid = ($1::bigint & 4294967295)::oid
  and locks.objsubid = 1
