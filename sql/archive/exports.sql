-- Which exports are on record?
-- Parameters: none
-- Columns:    month (YYYY-MM), file, sha256, rows, exportedAt; newest first
-- Needs:      the owner of the schema
select
  pg_catalog.to_char(month, 'YYYY-MM') as month,
  file_name as file,
  file_sha256 as sha256,
  file_rows::float8 as rows,
  finished_at as "exportedAt"
from archive_journal
where action = 'export'
order by id desc
