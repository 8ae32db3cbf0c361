-- Which sessions does backend $1 wait for?
-- Parameters: $1 backend pid (int)
-- Columns:    pid, role_name, application_name, state, age_ms (of the transaction), query (first 200 characters)
-- Needs:      nothing; pg_read_all_stats to see the query of other roles
select
  activity.pid,
  activity.usename as role_name,
  activity.application_name,
  activity.state,
  (extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start) * 1000)::bigint as age_ms,
  pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 200) as query
from pg_catalog.pg_stat_activity as activity
where activity.pid = any (pg_catalog.pg_blocking_pids($1))
order by activity.xact_start
