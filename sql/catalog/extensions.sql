-- Which extensions does the database have, and in which schemas?
-- Parameters: none
-- Columns:    name, schema, version
-- Needs:      nothing
select
  extension.extname::text as name,
  namespace.nspname::text as schema,
  extension.extversion as version
from pg_catalog.pg_extension as extension
join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
order by extension.extname
