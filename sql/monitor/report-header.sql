-- When and as whom is this read, and since when do the counters of this database count?
-- Parameters: none
-- Columns:    taken_at, counters_since (timestamptz; null when not reported), is_reset_by_hand (a role reset the counters
--             of this database then); role_name, is_superuser, reads_all_statistics (a member of pg_read_all_stats),
--             is_in_recovery, block_size_bytes
-- Needs:      nothing
-- A crash wipes every counter and leaves stats_reset of pg_stat_database null, but starts the clocks of the views that
-- the whole server shares. One of those may be reset by hand, so the oldest of them counts.
select
  pg_catalog.now() as taken_at,
  greatest(database.stats_reset, shared.stats_reset) as counters_since,
  coalesce(database.stats_reset >= shared.stats_reset, false) as is_reset_by_hand,
  current_user::text as role_name,
  role.rolsuper as is_superuser,
  pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as reads_all_statistics,
  pg_catalog.pg_is_in_recovery() as is_in_recovery,
  pg_catalog.current_setting('block_size')::int as block_size_bytes
from pg_catalog.pg_roles as role
left join pg_catalog.pg_stat_database as database on database.datname = pg_catalog.current_database()
cross join (
  select least(
    (select stats_reset from pg_catalog.pg_stat_archiver),
    (select stats_reset from pg_catalog.pg_stat_bgwriter),
    (select stats_reset from pg_catalog.pg_stat_wal),
    (select pg_catalog.min(stats_reset) from pg_catalog.pg_stat_io)
  ) as stats_reset
) as shared
where role.rolname = current_user
