-- Which replication slots keep WAL that is not fetched, or have lost what they need?
-- Parameters: none
-- Columns:    name, is_active, is_lost, retained_bytes (bigint; null when it keeps none), has_limit (max_slot_wal_keep_size is set)
-- Needs:      nothing
-- On a standby the position of the last WAL received takes the place of the current one.
select
  slot_name::text as name,
  active as is_active,
  wal_status = 'lost' as is_lost,
  pg_catalog.pg_wal_lsn_diff(
    case
      when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_receive_lsn()
      else pg_catalog.pg_current_wal_lsn()
    end,
    restart_lsn
  )::bigint as retained_bytes,
  pg_catalog.current_setting('max_slot_wal_keep_size') <> '-1' as has_limit
from pg_catalog.pg_replication_slots
order by slot_name
