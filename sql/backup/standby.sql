-- How far a standby is behind its primary; no row on a primary.
-- Columns: lag_ms (at most; 0 where all is replayed that the primary, which was heard of within a minute, has
-- written; null where no transaction was replayed since the start).
-- Role: any; one without pg_read_all_stats does not see what the primary has, so that an idle one counts as behind.
select
  case
    when exists (
      select
      from pg_catalog.pg_stat_wal_receiver
      where status = 'streaming'
        and latest_end_lsn <= pg_catalog.pg_last_wal_replay_lsn()
        and last_msg_receipt_time > pg_catalog.clock_timestamp() - interval '1 minute'
    ) then 0
    else pg_catalog.round(
      extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) * 1000
    )
  end as lag_ms
where pg_catalog.pg_is_in_recovery()
