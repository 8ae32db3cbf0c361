-- Which months were begun to be pruned and are still there?
-- Parameters: none
-- Columns:    month (YYYY-MM), id (of the journal row)
-- Needs:      the owner of the schema
select
  pg_catalog.to_char(month, 'YYYY-MM') as month,
  pg_catalog.max(id)::text as id
from archive_journal
where action = 'prune'
  and finished_at is null
group by month
