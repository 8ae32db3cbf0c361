-- The names that a new table, index, sequence or statistics object of a schema cannot have.
-- Parameters: $1 the schema.
-- Columns: name.
-- Role: any.
select relname::text as name
from pg_catalog.pg_class
where relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
union
select typname::text
from pg_catalog.pg_type
where typnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
union
select stxname::text
from pg_catalog.pg_statistic_ext
where stxnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
