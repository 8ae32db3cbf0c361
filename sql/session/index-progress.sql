-- How far is the index build of backend $1?
-- Parameters: $1 backend pid (int)
-- Columns:    phase, done, total (blocks or tuples, whichever the phase counts), index_name
-- Needs:      nothing
select
  progress.phase,
  case when progress.blocks_total > 0 then progress.blocks_done else progress.tuples_done end as done,
  case when progress.blocks_total > 0 then progress.blocks_total else progress.tuples_total end as total,
  class.relname as index_name
from pg_catalog.pg_stat_progress_create_index as progress
left join pg_catalog.pg_class as class on class.oid = progress.index_relid
where progress.pid = $1
