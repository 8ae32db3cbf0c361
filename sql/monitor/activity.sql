-- Who is connected to the server, and what does each session do?
-- Parameters: none
-- Columns:    pid, database_name, role_name, application_name, client_address, state, wait (event type and event; null when it does not
--             wait), transaction_ms, state_ms (how long the query runs, or the session has been as it is), query (first 200
--             characters), is_hidden (the role may not see what it does), blocked_by (int[])
-- Needs:      nothing; pg_read_all_stats to see the sessions of other roles
select
  activity.pid,
  activity.datname::text as database_name,
  activity.usename::text as role_name,
  activity.application_name,
  activity.client_addr::text as client_address,
  activity.state,
  activity.wait_event_type || ': ' || activity.wait_event as wait,
  (extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start) * 1000)::bigint as transaction_ms,
  (extract(epoch from pg_catalog.clock_timestamp() - case when activity.state = 'active' then activity.query_start else activity.state_change end) * 1000)::bigint as state_ms,
  pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 200) as query,
  activity.query = '<insufficient privilege>' as is_hidden,
  case when activity.wait_event_type = 'Lock' then pg_catalog.pg_blocking_pids(activity.pid) else '{}' end as blocked_by
from pg_catalog.pg_stat_activity as activity
where (
    activity.backend_type = 'client backend'
    -- Hidden from the role, whatever it is; those of the server itself have no user.
    or (activity.backend_type is null and activity.usesysid is not null)
  )
  and activity.pid <> pg_catalog.pg_backend_pid()
order by activity.xact_start nulls last, activity.state_change nulls last, activity.pid
