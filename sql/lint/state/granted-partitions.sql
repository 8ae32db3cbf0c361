-- Which partitions are granted to a role, past the policies of their table?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text || '/' || granted.role_name as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('partition %s is granted to %s: a query of it meets none of its table''s policies', class.oid::regclass, granted.role_name) as message,
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
  and class.relispartition
order by 1
