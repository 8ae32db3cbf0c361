-- How many services keep rows of this database in a cache and hear of changes?
-- Parameters: none
-- Columns:    listeners (int)
-- Needs:      pg_read_all_stats to see those of other roles; without it they are not counted
select pg_catalog.count(*)::int as listeners
from pg_catalog.pg_stat_activity as activity
where activity.datname = pg_catalog.current_database()
  and activity.application_name = 'aisec cache'
  and activity.query ~ 'announces_changes|pg_notify|^listen '
