-- Which sessions have been in a transaction for longest?
-- Parameters: none
-- Columns:    pid, database_name, role_name, application_name, state, is_idle (in a transaction, and nothing runs), transaction_ms, idle_ms (bigint;
--             null while a statement runs)
-- Needs:      pg_read_all_stats to see the sessions of other roles
select
  pid,
  datname::text as database_name,
  usename::text as role_name,
  application_name,
  state,
  state like 'idle in transaction%' as is_idle,
  (extract(epoch from pg_catalog.clock_timestamp() - xact_start) * 1000)::bigint as transaction_ms,
  case
    when state like 'idle in transaction%'
      then (extract(epoch from pg_catalog.clock_timestamp() - state_change) * 1000)::bigint
  end as idle_ms
from pg_catalog.pg_stat_activity
where backend_type = 'client backend'
  and pid <> pg_catalog.pg_backend_pid()
  and xact_start is not null
  and datname is not null
order by xact_start, pid
