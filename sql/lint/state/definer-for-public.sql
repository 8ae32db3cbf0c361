-- Which SECURITY DEFINER functions may every role execute?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  function.oid::regprocedure::text as object,
  function.proname::text as name,
  function.proname::text as table_name,
  pg_catalog.format('every role may execute %s, which runs as its owner', function.oid::regprocedure) as message,
  pg_catalog.format('revoke execute on function %s from public;', function.oid::regprocedure) as fix
from pg_catalog.pg_proc as function
join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
where namespace.nspname = $1::text
  and function.prosecdef
  and exists (
    select
    from pg_catalog.aclexplode(coalesce(function.proacl, pg_catalog.acldefault('f', function.proowner))) as privilege
    where privilege.grantee = 0
      and privilege.privilege_type = 'EXECUTE'
  )
  and not exists (
    select
    from pg_catalog.pg_depend as dependency
    where dependency.objid = function.oid
      and dependency.deptype = 'e'
  )
order by 1
