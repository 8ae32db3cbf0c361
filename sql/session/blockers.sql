-- Which sessions and prepared transactions does backend $1 wait for?
-- Parameters: $1 backend pid (int)
-- Columns:    pid (0: a prepared transaction), role_name, application_name, state, age_ms (of the transaction),
--             query (first 200 characters; of a prepared transaction its name)
-- Needs:      nothing; pg_read_all_stats to see the query of other roles
-- pg_blocking_pids gives 0 for a prepared transaction, which has no session; the lock on its own transaction id shows which one it is.
with blocking (pid) as (
  select pg_catalog.unnest(pg_catalog.pg_blocking_pids($1))
)
select
  activity.pid,
  activity.usename as role_name,
  activity.application_name,
  activity.state,
  (extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start) * 1000)::bigint as age_ms,
  pg_catalog.left(pg_catalog.regexp_replace(activity.query, '\s+', ' ', 'g'), 200) as query
from pg_catalog.pg_stat_activity as activity
where activity.pid in (select blocking.pid from blocking)
union all
select distinct
  0,
  prepared.owner,
  '',
  'prepared',
  (extract(epoch from pg_catalog.clock_timestamp() - prepared.prepared) * 1000)::bigint,
  prepared.gid
from pg_catalog.pg_locks as waiting
join pg_catalog.pg_locks as held
  on held.locktype = waiting.locktype
  and held.database is not distinct from waiting.database
  and held.relation is not distinct from waiting.relation
  and held.transactionid is not distinct from waiting.transactionid
  and held.classid is not distinct from waiting.classid
  and held.objid is not distinct from waiting.objid
  and held.objsubid is not distinct from waiting.objsubid
join pg_catalog.pg_locks as own
  on own.virtualtransaction = held.virtualtransaction
  and own.locktype = 'transactionid'
  and own.pid is null
join pg_catalog.pg_prepared_xacts as prepared on prepared.transaction = own.transactionid
where waiting.pid = $1
  and not waiting.granted
  and held.granted
  and held.pid is null
  and 0 in (select blocking.pid from blocking)
order by 5 desc nulls last
