-- Do the subscriptions of this database apply what their publishers send?
-- Parameters: none
-- Columns:    name, is_enabled, is_running (its worker is), behind_ms (bigint; since the publisher last heard that all is applied; null: unknown),
--             apply_errors, sync_errors (bigint, since the counters began)
-- Needs:      nothing
select
  subscription.subname::text as name,
  subscription.subenabled as is_enabled,
  worker.pid is not null as is_running,
  (extract(epoch from pg_catalog.clock_timestamp() - worker.latest_end_time) * 1000)::bigint as behind_ms,
  coalesce(counters.apply_error_count, 0) as apply_errors,
  coalesce(counters.sync_error_count, 0) as sync_errors
from pg_catalog.pg_subscription as subscription
left join pg_catalog.pg_stat_subscription as worker
  on worker.subid = subscription.oid
  and worker.relid is null
  and worker.pid is not null
  -- Parallel apply workers came with PostgreSQL 16; they have the main one as leader.
  and worker.leader_pid is null
left join pg_catalog.pg_stat_subscription_stats as counters on counters.subid = subscription.oid
where subscription.subdbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
order by subscription.subname
