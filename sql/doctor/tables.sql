-- Which tables of the schema has row-level security shut, and for whom are they open?
-- Parameters: $1 schema (text)
-- Columns:    name, root (of a partition: the table it belongs to in the end; else null), has_row_security, policies (int),
--             grantees (text[], roles with a right on the table or a column, without its owner and those that row level
--             security does not hold anyway; public for every role)
-- Needs:      nothing
select
  class.relname::text as name,
  case
    when class.relispartition
      then (select root.relname::text from pg_catalog.pg_class as root where root.oid = pg_catalog.pg_partition_root(class.oid))
  end as root,
  class.relrowsecurity as has_row_security,
  (select pg_catalog.count(*)::int from pg_catalog.pg_policy as policy where policy.polrelid = class.oid) as policies,
  array(
    select distinct coalesce(role.rolname::text, 'public')
    from (
      select class.relacl as acl
      union all
      select attacl
      from pg_catalog.pg_attribute
      where attrelid = class.oid
        and attacl is not null
    ) as granted
    cross join lateral pg_catalog.aclexplode(granted.acl) as entry
    left join pg_catalog.pg_roles as role on role.oid = entry.grantee
    where entry.grantee <> class.relowner
      and not coalesce(role.rolsuper or role.rolbypassrls, false)
    order by 1
  ) as grantees
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('r', 'p')
  and not exists (
    select
    from pg_catalog.pg_depend as depend
    where depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and depend.objid = class.oid
      and depend.deptype = 'e'
  )
order by class.relname
