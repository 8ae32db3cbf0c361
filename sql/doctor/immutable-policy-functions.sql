-- Which immutable functions, called by policies, give what depends on the session?
-- Parameters: $1 schema (text), of the tables
-- Columns:    signature (name and argument types, quoted, with the schema), policies (text[]: table.policy)
-- Needs:      nothing
-- The text of the function decides; functions that it calls are left out.
select
  pg_catalog.format(
    '%I.%I(%s)',
    namespace.nspname,
    function.proname,
    pg_catalog.pg_get_function_identity_arguments(function.oid)
  ) as signature,
  pg_catalog.array_agg(
    distinct pg_catalog.format('%I.%I', class.relname, policy.polname)
    order by pg_catalog.format('%I.%I', class.relname, policy.polname)
  ) as policies
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
join pg_catalog.pg_depend as depend
  on depend.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
  and depend.objid = policy.oid
  and depend.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
join pg_catalog.pg_proc as function on function.oid = depend.refobjid
join pg_catalog.pg_namespace as namespace on namespace.oid = function.pronamespace
where class.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
  and function.provolatile = 'i'
  and function.oid >= 16384
  and function.prokind = 'f'
  and pg_catalog.pg_get_functiondef(function.oid) ~* '\mcurrent_(setting|user\w*|role|schemas?)\M|\msession_user\M'
group by function.oid, namespace.nspname, function.proname
order by 1
