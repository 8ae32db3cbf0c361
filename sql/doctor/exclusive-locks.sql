-- Which other sessions hold or wait for ACCESS EXCLUSIVE on a relation of this database?
-- Parameters: none
-- Columns:    pid, application_name (null when it may not be seen), is_held
-- Needs:      nothing
select
  lock.pid,
  pg_catalog.max(activity.application_name) as application_name,
  pg_catalog.bool_or(lock.granted) as is_held
from pg_catalog.pg_locks as lock
left join pg_catalog.pg_stat_activity as activity on activity.pid = lock.pid
where lock.locktype = 'relation'
  and lock.mode = 'AccessExclusiveLock'
  and lock.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  and lock.pid <> pg_catalog.pg_backend_pid()
group by lock.pid
order by is_held desc, lock.pid
