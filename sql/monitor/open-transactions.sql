-- Which sessions have been in a transaction for longest?
-- Parameters: none
-- Columns:    pid, database, role, application, isIdle (in a transaction, and nothing runs), transactionMs, idleMs (null while a
--             statement runs)
-- Needs:      pg_read_all_stats to see the sessions of other roles
select
  pid,
  datname::text as database,
  usename::text as role,
  application_name as application,
  state like 'idle in transaction%' as "isIdle",
  (extract(epoch from pg_catalog.clock_timestamp() - xact_start) * 1000)::bigint::float8 as "transactionMs",
  case
    when state like 'idle in transaction%'
      then (extract(epoch from pg_catalog.clock_timestamp() - state_change) * 1000)::bigint::float8
  end as "idleMs"
from pg_catalog.pg_stat_activity
where backend_type = 'client backend'
  and pid <> pg_catalog.pg_backend_pid()
  and xact_start is not null
  and datname is not null
order by xact_start, pid
