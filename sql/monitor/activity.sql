-- Who is connected to the server, and what does each session do?
-- Parameters: none
-- Columns:    pid, database, role, application, client, state, wait (event type and event; null when it does not wait),
--             transactionMs, stateMs (how long the query runs, or the session has been as it is), query (first 200
--             characters), isHidden (the role may not see what it does), blockedBy (int[])
-- Needs:      nothing; pg_read_all_stats to see the sessions of other roles
select
  activity.pid,
  activity.datname::text as database,
  activity.usename::text as role,
  activity.application_name as application,
  activity.client_addr::text as client,
  activity.state,
  activity.wait_event_type || ': ' || activity.wait_event as wait,
  (extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start) * 1000)::bigint::float8 as "transactionMs",
  (extract(epoch from pg_catalog.clock_timestamp() - case when activity.state = 'active' then activity.query_start else activity.state_change end) * 1000)::bigint::float8 as "stateMs",
  pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 200) as query,
  activity.query = '<insufficient privilege>' as "isHidden",
  case when activity.wait_event_type = 'Lock' then pg_catalog.pg_blocking_pids(activity.pid) else '{}' end as "blockedBy"
from pg_catalog.pg_stat_activity as activity
where (
    activity.backend_type = 'client backend'
    -- Hidden from the role, whatever it is; those of the server itself have no user.
    or (activity.backend_type is null and activity.usesysid is not null)
  )
  and activity.pid <> pg_catalog.pg_backend_pid()
order by activity.xact_start nulls last, activity.state_change nulls last, activity.pid
