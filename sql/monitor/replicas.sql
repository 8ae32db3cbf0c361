-- How far behind are the standbys and subscribers that are connected to this server?
-- Parameters: none
-- Columns:    name (application_name), client (null: a local socket), isLogical (a subscriber), state (null: the role may not see it), isSynchronous,
--             behindBytes (what it has not replayed yet), behindMs (as it last reported; null: nothing to report)
-- Needs:      pg_read_all_stats to see more than the pid
select
  replication.application_name as name,
  coalesce(replication.client_hostname, pg_catalog.host(replication.client_addr)) as client,
  coalesce(slot.slot_type = 'logical', false) as "isLogical",
  replication.state,
  replication.sync_state in ('sync', 'quorum') as "isSynchronous",
  pg_catalog.pg_wal_lsn_diff(
    case
      when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
      else pg_catalog.pg_current_wal_lsn()
    end,
    replication.replay_lsn
  )::float8 as "behindBytes",
  (extract(epoch from replication.replay_lag) * 1000)::bigint::float8 as "behindMs"
from pg_catalog.pg_stat_replication as replication
left join pg_catalog.pg_replication_slots as slot on slot.active_pid = replication.pid
order by replication.application_name, replication.pid
