-- How many WAL segments wait to be archived?
-- Parameters: none
-- Columns:    waiting (int)
-- Needs:      EXECUTE on pg_ls_archive_statusdir (a member of pg_monitor has it)
select pg_catalog.count(*)::int as waiting
from pg_catalog.pg_ls_archive_statusdir()
where name like '%.ready'
