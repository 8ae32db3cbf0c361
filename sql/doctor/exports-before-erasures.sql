-- Which exports of months were written before people of that month were erased?
-- Parameters: none
-- Columns:    month (YYYY-MM), file_name, people (integer, erased since)
-- Needs:      the owner of the schema
-- A file that was rewritten counts as it is now.
select
  pg_catalog.to_char(newest.month, 'YYYY-MM') as month,
  newest.file_name,
  pg_catalog.count(*)::integer as people
from (
  select distinct on (file_name)
    month,
    file_name,
    finished_at
  from archive_journal
  where action = 'export'
  order by file_name, id desc
) as newest
join erasures
  on pg_catalog.to_char(newest.month, 'YYYY-MM') = any (erasures.months)
  and erasures.erased_at > newest.finished_at
group by newest.month, newest.file_name
order by newest.month, newest.file_name
