-- Which exports are on record?
-- Parameters: none
-- Columns:    month (YYYY-MM), file_name, file_sha256, file_rows, finished_at; newest first
-- Needs:      the owner of the schema
select
  pg_catalog.to_char(month, 'YYYY-MM') as month,
  file_name,
  file_sha256,
  file_rows::float8 as file_rows,
  finished_at
from archive_journal
where action = 'export'
order by id desc
