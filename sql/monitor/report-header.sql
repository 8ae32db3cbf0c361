-- When and as whom is this read, and since when do the counters of this database count?
-- Parameters: none
-- Columns:    takenAt, role, isSuperuser, readsAllStatistics (a member of pg_read_all_stats), isInRecovery, countersSince
--             (timestamptz; null when not reported), countersSinceEvent (reset: a role reset the counters of this database then)
-- Needs:      nothing
-- A crash wipes every counter and leaves stats_reset of pg_stat_database null, but starts the clocks of the views that
-- the whole server shares. One of those may be reset by hand, so the oldest of them counts.
select
  pg_catalog.now() as "takenAt",
  current_user::text as role,
  role.rolsuper as "isSuperuser",
  pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as "readsAllStatistics",
  pg_catalog.pg_is_in_recovery() as "isInRecovery",
  greatest(database.stats_reset, shared.stats_reset) as "countersSince",
  case
    when database.stats_reset >= shared.stats_reset then 'reset'
    when coalesce(database.stats_reset, shared.stats_reset) is not null then 'server'
  end as "countersSinceEvent"
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
