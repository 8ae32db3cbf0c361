-- Which tables may hold rows of an application? Partitions go with their root, the history of the migrations stays.
-- Parameters: none
-- Columns:    name
-- Needs:      nothing
select class.relname::text as name
from pg_catalog.pg_class as class
where class.relnamespace = 'public'::pg_catalog.regnamespace
  and class.relkind in ('r', 'p')
  and not class.relispartition
  and class.relname !~ '^(pgmigrations|aisec_migrations)(_[a-z0-9_]+)?$'
order by class.relname
