-- Which SECURITY DEFINER functions search the path of their caller?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  function.oid::regprocedure::text as object,
  function.proname::text as name,
  function.proname::text as table_name,
  pg_catalog.format('function %s runs as its owner and searches the path of its caller', function.oid::regprocedure) as message,
  pg_catalog.format('alter function %s set search_path from current;', function.oid::regprocedure) as fix
from pg_catalog.pg_proc as function
join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
where namespace.nspname = $1::text
  and function.prosecdef
  and not exists (
    select
    from pg_catalog.unnest(function.proconfig) as setting (text)
    where setting.text like 'search_path=%'
  )
  and not exists (
    select
    from pg_catalog.pg_depend as dependency
    where dependency.objid = function.oid
      and dependency.deptype = 'e'
  )
order by 1
