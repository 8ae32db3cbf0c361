-- Which tables of the schema has row-level security shut, and for whom are they open?
-- Parameters: $1 schema (text)
-- Columns:    name, root (of a partition: the table it belongs to in the end; else null), has_row_security, policies (int),
--             grantees, writers, truncaters (text[], roles with a privilege on the table or a column, with one that is not
--             SELECT, with TRUNCATE; without its owner and those whom policies do not hold anyway; public for every role)
-- Needs:      nothing
select
  class.relname::text as name,
  case
    when class.relispartition
      then (select root.relname::text from pg_catalog.pg_class as root where root.oid = pg_catalog.pg_partition_root(class.oid))
  end as root,
  class.relrowsecurity as has_row_security,
  (select pg_catalog.count(*)::int from pg_catalog.pg_policy as policy where policy.polrelid = class.oid) as policies,
  granted.grantees,
  granted.writers,
  granted.truncaters
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select
    coalesce(pg_catalog.array_agg(distinct grantee order by grantee), '{}') as grantees,
    coalesce(pg_catalog.array_agg(distinct grantee order by grantee) filter (where privilege_type <> 'SELECT'), '{}') as writers,
    coalesce(pg_catalog.array_agg(distinct grantee order by grantee) filter (where privilege_type = 'TRUNCATE'), '{}')
      as truncaters
  from (
    select
      coalesce(role.rolname::text, 'public') as grantee,
      entry.privilege_type
    from (
      select class.relacl as acl
      union all
      select attacl
      from pg_catalog.pg_attribute
      where attrelid = class.oid
        and attacl is not null
    ) as acls
    cross join lateral pg_catalog.aclexplode(acls.acl) as entry
    left join pg_catalog.pg_roles as role on role.oid = entry.grantee
    where entry.grantee <> class.relowner
      and not coalesce(role.rolsuper or role.rolbypassrls, false)
  ) as one
) as granted
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
