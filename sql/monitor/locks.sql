-- Which sessions wait for a lock, for which one, and whom do they wait for?
-- Parameters: none
-- Columns:    pid, blockedBy (int[]; empty for one that only blocks; 0: a prepared transaction), blockedByPrepared (text[], those it
--             waits for, by name), waitingMs, lock (what is waited for, such as AccessShareLock on table public.users); then as in
--             monitor/activity: database, role, application, state, transactionMs, query, isHidden
-- Needs:      nothing; pg_read_all_stats to see what the sessions of other roles do
-- A prepared transaction has no process; its lock on its own transaction id shows which one it is.
with awaited as materialized (
  select distinct on (pid)
    *
  from pg_catalog.pg_locks
  where not granted
  order by pid, waitstart
),
waiting as materialized (
  select
    awaited.*,
    array(select distinct pg_catalog.unnest(pg_catalog.pg_blocking_pids(awaited.pid)) order by 1) as blocked_by
  from awaited
),
involved as (
  select pid from waiting
  union
  select pg_catalog.unnest(blocked_by) from waiting
)
select
  involved.pid,
  coalesce(waiting.blocked_by, '{}') as "blockedBy",
  array(
    select distinct prepared.gid
    from pg_catalog.pg_locks as held
    join pg_catalog.pg_locks as own
      on own.virtualtransaction = held.virtualtransaction
      and own.pid is null
      and own.locktype = 'transactionid'
    join pg_catalog.pg_prepared_xacts as prepared on prepared.transaction = own.transactionid
    where held.pid is null
      and held.locktype = waiting.locktype
      and held.database is not distinct from waiting.database
      and held.relation is not distinct from waiting.relation
      and held.page is not distinct from waiting.page
      and held.tuple is not distinct from waiting.tuple
      and held.transactionid is not distinct from waiting.transactionid
      and held.objid is not distinct from waiting.objid
    order by 1
  ) as "blockedByPrepared",
  (extract(epoch from pg_catalog.clock_timestamp() - waiting.waitstart) * 1000)::bigint::float8 as "waitingMs",
  waiting.mode || case
    when waiting.locktype = 'relation' then ' on ' || coalesce(
      (
        select pg_catalog.format('%I.%I', namespace.nspname, class.relname)
        from pg_catalog.pg_class as class
        join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
        where class.oid = waiting.relation
          and waiting.database in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
      ),
      'a table of another database'
    )
    when waiting.locktype = 'transactionid' then ' on a row changed by transaction ' || waiting.transactionid::text
    else ' on ' || waiting.locktype
  end as lock,
  activity.datname::text as database,
  activity.usename::text as role,
  activity.application_name as application,
  activity.state,
  (extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start) * 1000)::bigint::float8 as "transactionMs",
  pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 200) as query,
  activity.query = '<insufficient privilege>' as "isHidden"
from involved
left join waiting on waiting.pid = involved.pid
left join pg_catalog.pg_stat_activity as activity on activity.pid = involved.pid
where involved.pid <> 0
order by activity.xact_start nulls last, involved.pid
