-- Which row-level security policies do the tables of a schema have?
-- Parameters: $1 schema (text)
-- Columns:    table, name, command, permissive, roles (text[]), using, check, comment
-- Needs:      nothing
select
  class.relname::text as "table",
  policy.polname::text as name,
  case policy.polcmd
    when 'r' then 'select'
    when 'a' then 'insert'
    when 'w' then 'update'
    when 'd' then 'delete'
    else 'all'
  end as command,
  policy.polpermissive as permissive,
  array(
    select coalesce(role.rolname::text, 'PUBLIC')
    from pg_catalog.unnest(policy.polroles) as member (oid)
    left join pg_catalog.pg_roles as role on role.oid = member.oid
    order by 1
  ) as roles,
  pg_catalog.pg_get_expr(policy.polqual, policy.polrelid, true) as "using",
  pg_catalog.pg_get_expr(policy.polwithcheck, policy.polrelid, true) as "check",
  pg_catalog.obj_description(policy.oid, 'pg_policy') as comment
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
order by class.relname, policy.polname
