-- Which roles use tables of a schema, and would see no row of them under row-level security?
-- Parameters: $1 schema (text), $2 tables that get row-level security (text[])
-- Columns:    role (text), tables (text[])
-- Needs:      nothing
select
  role.rolname::text as role,
  pg_catalog.array_agg(distinct class.relname::text) as tables
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join pg_catalog.aclexplode(class.relacl) as privilege
join pg_catalog.pg_roles as role on role.oid = privilege.grantee
where namespace.nspname = $1
  and class.relname::text = any ($2::text[])
  and privilege.grantee <> class.relowner
  and role.rolname <> 'authenticated'
  and not role.rolbypassrls
  and not role.rolsuper
  and not pg_catalog.pg_has_role(role.oid, class.relowner, 'usage')
group by role.rolname
order by role.rolname
