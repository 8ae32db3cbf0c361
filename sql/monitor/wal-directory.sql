-- How much WAL is on the disk of the server, how much may be, and what keeps the rest?
-- Parameters: none
-- Columns:    total_bytes (bigint), limit_bytes (bigint: max_wal_size, or what is kept for standbys if that is more),
--             max_wal_size, wal_keep_size (as SHOW prints them), slot_name (the one that keeps most; null: none),
--             slot_bytes (bigint), is_slot_active, waiting (int, segments that wait to be archived)
-- Needs:      EXECUTE on pg_ls_waldir and pg_ls_archive_statusdir (a member of pg_monitor has it)
select
  (select coalesce(pg_catalog.sum(size), 0)::bigint from pg_catalog.pg_ls_waldir()) as total_bytes,
  greatest(
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')),
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_keep_size'))
  ) as limit_bytes,
  pg_catalog.current_setting('max_wal_size') as max_wal_size,
  pg_catalog.current_setting('wal_keep_size') as wal_keep_size,
  slot.name as slot_name,
  slot.retained_bytes as slot_bytes,
  slot.is_active as is_slot_active,
  (select pg_catalog.count(*)::int from pg_catalog.pg_ls_archive_statusdir() where name like '%.ready') as waiting
from (values (1)) as one
left join lateral (
  select
    slot_name::text as name,
    active as is_active,
    pg_catalog.pg_wal_lsn_diff(
      case
        when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_receive_lsn()
        else pg_catalog.pg_current_wal_lsn()
      end,
      restart_lsn
    )::bigint as retained_bytes
  from pg_catalog.pg_replication_slots
  where restart_lsn is not null
  order by 3 desc nulls last
  limit 1
) as slot on true
