-- Which sessions wait for a lock of our own session in this database?
-- Parameters: $1 pid of our own session (int).
-- Columns:    pid, role_name, application_name, state, query (first 200 characters)
-- Needs:      nothing; pg_read_all_stats to see the query of other roles
select
  pid,
  usename::text as role_name,
  application_name,
  state,
  pg_catalog.left(pg_catalog.regexp_replace(query, '\s+', ' ', 'g'), 200) as query
from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database()
  and wait_event_type = 'Lock'
  and $1::int = any (pg_catalog.pg_blocking_pids(pid))
