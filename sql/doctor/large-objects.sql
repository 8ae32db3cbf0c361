-- By which functions may the roles of services make large objects?
-- Columns:    signature (with the schema, quoted), name, grantees (text[], quoted: public, authenticated)
-- Needs:      nothing
-- No row where no role but a superuser may log in and work as authenticated.
select
  pg_catalog.format(
    'pg_catalog.%I(%s)',
    function.proname,
    pg_catalog.pg_get_function_identity_arguments(function.oid)
  ) as signature,
  function.proname::text as name,
  array(
    select distinct case acl.grantee when 0 then 'public' else 'authenticated' end
    from pg_catalog.aclexplode(
      coalesce(function.proacl, pg_catalog.acldefault('f', function.proowner))
    ) as acl
    where acl.privilege_type = 'EXECUTE'
      and acl.grantee in (0, role.oid)
    order by 1 desc
  ) as grantees
from pg_catalog.pg_proc as function
join pg_catalog.pg_roles as role on role.rolname = 'authenticated'
where function.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
  and function.proname in ('lo_creat', 'lo_create', 'lo_from_bytea')
  and pg_catalog.has_function_privilege(role.oid, function.oid, 'execute')
  and exists (
    select
    from pg_catalog.pg_roles as login
    where login.rolcanlogin
      and not login.rolsuper
      and pg_catalog.pg_has_role(login.oid, role.oid, 'member')
  )
order by function.proname
