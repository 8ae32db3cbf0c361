-- Has anything happened since the last look that a report would show?
-- Parameters: none
-- Columns:    state (text: equal while nothing happened), is_waiting (a session waits for a lock, or has been in a transaction for over
--             10 s: then ages change by the second)
-- Needs:      nothing; without pg_read_all_stats it sees no transactions of other roles
select
  pg_catalog.concat_ws(
    ' ',
    database.tup_inserted, database.tup_updated, database.tup_deleted,
    database.deadlocks, database.conflicts, database.temp_files, database.checksum_failures, database.stats_reset,
    (select pg_catalog.count(*) from pg_catalog.pg_stat_activity as activity where activity.backend_type = 'client backend'),
    (select pg_catalog.count(*) from pg_catalog.pg_prepared_xacts),
    (select pg_catalog.string_agg(slot.slot_name || ' ' || slot.active::text, ',' order by slot.slot_name)
      from pg_catalog.pg_replication_slots as slot),
    (select pg_catalog.string_agg(replication.pid::text || ' ' || coalesce(replication.state, ''), ',' order by replication.pid)
      from pg_catalog.pg_stat_replication as replication),
    (select archiver.failed_count from pg_catalog.pg_stat_archiver as archiver)
  ) as state,
  exists (select from pg_catalog.pg_locks as lock where not lock.granted)
  or exists (
    select
    from pg_catalog.pg_stat_activity as activity
    where activity.pid <> pg_catalog.pg_backend_pid()
      and activity.backend_type = 'client backend'
      and activity.xact_start < pg_catalog.clock_timestamp() - interval '10 seconds'
  )
  or exists (select from pg_catalog.pg_prepared_xacts) as is_waiting
from pg_catalog.pg_stat_database as database
where database.datname = pg_catalog.current_database()
