-- Which sessions and prepared transactions of this database may have an MVCC snapshot from before a moment?
-- Parameters: $1 the moment (text: an xid that was the next one then); null: now
-- Columns:    moment (text, for the next call), key (text: same key, same transaction; null when there is none),
--             description (text)
-- Needs:      nothing
with moment as (
  select coalesce($1::text, pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::xid::text)::xid as next_xid
),
older as (
  -- A virtual transaction id is shown to every role; xact_start is not. A sender of WAL to a standby has none.
  select
    virtual.virtualxid as key,
    pg_catalog.format(
      'process %s%s%s',
      activity.pid,
      coalesce(' (' || nullif(activity.application_name, '') || ')', ''),
      coalesce(
        ', ' || activity.state || ', its transaction open for '
          || pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - activity.xact_start),
        ''
      )
    ) as description
  from pg_catalog.pg_stat_activity as activity
  join pg_catalog.pg_locks as virtual
    on virtual.pid = activity.pid
    and virtual.locktype = 'virtualxid'
    and virtual.granted
    and virtual.mode = 'ExclusiveLock'
  cross join moment
  where activity.datname = pg_catalog.current_database()
    and activity.pid <> pg_catalog.pg_backend_pid()
    -- What autovacuum reads is hidden.
    and activity.backend_type is distinct from 'autovacuum worker'
    and pg_catalog.age(activity.backend_xmin) > pg_catalog.age(moment.next_xid)
  union all
  select
    prepared.gid,
    pg_catalog.format('prepared transaction "%s" since %s', prepared.gid, pg_catalog.date_trunc('second', prepared.prepared))
  from pg_catalog.pg_prepared_xacts as prepared
  cross join moment
  where prepared.database = pg_catalog.current_database()
    and pg_catalog.age(prepared.transaction) > pg_catalog.age(moment.next_xid)
)
select
  moment.next_xid::text as moment,
  older.key,
  older.description
from moment
left join older on true
