-- Does this standby keep up with its primary?
-- Parameters: none
-- Columns:    is_in_recovery, is_paused, is_streaming (a WAL receiver is connected), has_restore_command (it may get WAL from an archive instead),
--             waiting_bytes (bigint; received and not replayed), behind_ms (bigint; since the last commit that was replayed; null when all that was
--             received is replayed)
-- Needs:      nothing; without pg_read_all_settings has_restore_command is null
select
  pg_catalog.pg_is_in_recovery() as is_in_recovery,
  case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_is_wal_replay_paused() end as is_paused,
  exists (select from pg_catalog.pg_stat_wal_receiver where pid is not null) as is_streaming,
  (select setting <> '' from pg_catalog.pg_settings where name = 'restore_command') as has_restore_command,
  pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())::bigint as waiting_bytes,
  case
    when pg_catalog.pg_last_wal_receive_lsn() > pg_catalog.pg_last_wal_replay_lsn()
      then (extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) * 1000)::bigint
  end as behind_ms
