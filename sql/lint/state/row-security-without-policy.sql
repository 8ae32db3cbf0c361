-- Which granted tables have row-level security and no policy, so that every query finds nothing?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format(
    'role %s is granted privileges on %s, and no policy lets it see a row',
    granted.role_name,
    class.oid::regclass
  ) as message,
  pg_catalog.format('revoke all on %s from %s;', class.oid::regclass, granted.role_name) as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select distinct case privilege.grantee when 0 then 'public' else privilege.grantee::regrole::text end as role_name
  from pg_catalog.aclexplode(class.relacl) as privilege
  where privilege.grantee <> class.relowner
) as granted
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p')
  and class.relrowsecurity
  and not exists (
    select
    from pg_catalog.pg_policy as policy
    where policy.polrelid = class.oid
  )
order by 1, granted.role_name
