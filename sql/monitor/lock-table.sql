-- Is there room in the server's table of locks, for what is locked now and for queries of all messages?
-- Parameters: $1 schema (text)
-- Columns:    used (bigint, locks now, without those on the fast path), capacity (bigint, for all sessions), locks_per_transaction, max_connections (int), relations
--             (bigint, messages and messages_archive with their partitions and indexes: what one query over all messages locks), holder_pid and
--             holder_locks (the session that has most locks, and how many)
-- Needs:      nothing
-- https://www.postgresql.org/docs/16/runtime-config-locks.html#GUC-MAX-LOCKS-PER-TRANSACTION
with recursive tree as (
  select class.oid
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relname in ('messages', 'messages_archive')
    and class.relkind in ('r', 'p')
  union all
  select inherits.inhrelid
  from tree
  join pg_catalog.pg_inherits as inherits on inherits.inhparent = tree.oid
)
select
  (select pg_catalog.count(*) from pg_catalog.pg_locks where not fastpath and locktype <> 'virtualxid') as used,
  pg_catalog.current_setting('max_locks_per_transaction')::bigint
    * (
      pg_catalog.current_setting('max_connections')::bigint
      + pg_catalog.current_setting('max_prepared_transactions')::bigint
    ) as capacity,
  pg_catalog.current_setting('max_locks_per_transaction')::int as locks_per_transaction,
  pg_catalog.current_setting('max_connections')::int as max_connections,
  (select pg_catalog.count(*) from tree)
    + (select pg_catalog.count(*) from pg_catalog.pg_index as index join tree on tree.oid = index.indrelid) as relations,
  holder.pid as holder_pid,
  holder.locks as holder_locks
from (values (1)) as one (row)
left join lateral (
  select locks.pid, pg_catalog.count(*) as locks
  from pg_catalog.pg_locks as locks
  where not locks.fastpath
    and locks.pid is not null
    and locks.pid <> pg_catalog.pg_backend_pid()
  group by locks.pid
  order by pg_catalog.count(*) desc
  limit 1
) as holder on true
