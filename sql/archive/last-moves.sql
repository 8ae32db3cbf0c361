-- When was each month last moved to the archive?
-- Parameters: none
-- Columns:    month (YYYY-MM), archived_at
-- Needs:      the owner of the schema
select
  pg_catalog.to_char(month, 'YYYY-MM') as month,
  pg_catalog.max(finished_at) as archived_at
from archive_journal
where action in ('archive', 'move rows', 'import')
  and finished_at is not null
group by month
