-- How far behind are the standbys and subscribers that are connected to this server?
-- Parameters: none
-- Columns:    name (application_name), client (null: a local socket), pid, is_logical (a subscriber), state (null: the role may not see it), is_synchronous,
--             behind_bytes (bigint; what it has not replayed yet), behind_ms (as it last reported; null: nothing to report)
-- Needs:      pg_read_all_stats to see more than the pid
select
  replication.application_name as name,
  coalesce(replication.client_hostname, pg_catalog.host(replication.client_addr)) as client,
  replication.pid,
  coalesce(slot.slot_type = 'logical', false) as is_logical,
  replication.state,
  replication.sync_state in ('sync', 'quorum') as is_synchronous,
  pg_catalog.pg_wal_lsn_diff(
    case
      when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
      else pg_catalog.pg_current_wal_lsn()
    end,
    replication.replay_lsn
  )::bigint as behind_bytes,
  (extract(epoch from replication.replay_lag) * 1000)::bigint as behind_ms
from pg_catalog.pg_stat_replication as replication
left join pg_catalog.pg_replication_slots as slot on slot.active_pid = replication.pid
order by replication.application_name, replication.pid
