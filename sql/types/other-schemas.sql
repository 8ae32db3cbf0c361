-- Which tables and views of other schemas may role authenticated use?
-- Parameters: $1 schemas that are read (text[])
-- Columns:    schema, name
-- Needs:      nothing
select
  namespace.nspname::text as schema,
  class.relname::text as name
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname <> all ($1::text[])
  and namespace.nspname !~ '^pg_'
  and namespace.nspname <> 'information_schema'
  and class.relkind in ('r', 'p', 'f', 'v', 'm')
  and not class.relispartition
  and exists (
    select
    from pg_catalog.aclexplode(class.relacl) as item
    join pg_catalog.pg_roles as grantee on grantee.oid = item.grantee
    where grantee.rolname = 'authenticated'
  )
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.deptype = 'e'
  )
order by 1, 2
