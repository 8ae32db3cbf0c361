-- Which extensions stand in the schema of the tables?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  extension.extname::text as object,
  extension.extname::text as name,
  extension.extname::text as table_name,
  pg_catalog.format('extension %I is in the schema %I, beside the tables', extension.extname, $1::text) as message,
  E'create schema if not exists extensions;\n'
    || pg_catalog.format('alter extension %I set schema extensions;', extension.extname) as fix
from pg_catalog.pg_extension as extension
join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
where namespace.nspname = $1::text
order by 1
