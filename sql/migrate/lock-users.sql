-- Which other sessions and prepared transactions hold locks on relations, and which sessions wait for this one?
-- Parameters: none
-- Columns:    pid (0: a prepared transaction), role, application, state, ageMs (of the transaction), relation (as SQL takes it
--             here), mode (as in pg_locks), waitsForUs
-- Needs:      nothing; pg_read_all_stats to see the state of other roles
select
  coalesce(locks.pid, 0) as pid,
  coalesce(activity.usename::text, '') as role,
  coalesce(activity.application_name, '') as application,
  case when locks.pid is null then 'prepared' else coalesce(activity.state, '') end as state,
  coalesce((extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start) * 1000)::float8, 0) as "ageMs",
  locks.relation::regclass::text as relation,
  locks.mode,
  not locks.granted and pg_catalog.pg_blocking_pids(locks.pid) @> array[pg_catalog.pg_backend_pid()] as "waitsForUs"
from pg_catalog.pg_locks as locks
left join pg_catalog.pg_stat_activity as activity on activity.pid = locks.pid
where locks.locktype = 'relation'
  and locks.pid is distinct from pg_catalog.pg_backend_pid()
  and locks.database = (
    select database.oid
    from pg_catalog.pg_database as database
    where database.datname = pg_catalog.current_database()
  )
  and locks.relation >= 16384
  and activity.backend_type is distinct from 'autovacuum worker'
order by "ageMs" desc, 1, 6, 7
