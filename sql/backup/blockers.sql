-- Which sessions does a client program of ours wait for in this database?
-- Parameters: $1 its application_name, $2 pid of our own session (int).
-- Columns:    pid, role_name, application_name, state, query (first 200 characters), waits_for_us (for the session $2)
-- Needs:      nothing; pg_read_all_stats to see the query of other roles
select distinct
  blocker.pid,
  blocker.usename::text as role_name,
  blocker.application_name,
  blocker.state,
  pg_catalog.left(pg_catalog.regexp_replace(blocker.query, '\s+', ' ', 'g'), 200) as query,
  $2::int = any (pg_catalog.pg_blocking_pids(blocker.pid)) as waits_for_us
from pg_catalog.pg_stat_activity as waiting
cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(waiting.pid)) as blocking (pid)
join pg_catalog.pg_stat_activity as blocker on blocker.pid = blocking.pid
where waiting.datname = pg_catalog.current_database()
  and waiting.application_name = $1
  and waiting.wait_event_type = 'Lock'
