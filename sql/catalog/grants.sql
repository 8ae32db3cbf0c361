-- Who but the owner has which privileges on a schema and what is in it?
-- Parameters: $1 schema (text)
-- Columns:    kind (schema, table, view, sequence, column, function, type, default privileges), object (for default
--             privileges: the kind of object and the role that creates it), column, arguments (types, of a function),
--             grantee (PUBLIC: every role), privileges (text[])
-- Needs:      nothing
-- PostgreSQL's own defaults count as granted: EXECUTE on a new function for PUBLIC. What a schema had when the cluster
-- was made (USAGE on public for PUBLIC) does not.
-- https://www.postgresql.org/docs/16/ddl-priv.html
with target as (
  select oid, nspowner, nspacl
  from pg_catalog.pg_namespace
  where nspname = $1
),
acl as (
  select
    'schema' as kind,
    null::text as object,
    null::text as "column",
    null::text as arguments,
    target.nspowner as owner,
    (
      select pg_catalog.array_agg(item)
      from pg_catalog.unnest(target.nspacl) as item
      where not exists (
        select
        from pg_catalog.pg_init_privs as initial
        where initial.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
          and initial.objoid = target.oid
          and item::text = any (initial.initprivs::text[])
      )
    ) as items
  from target
  union all
  select
    case
      when class.relkind = 'S' then 'sequence'
      when class.relkind in ('v', 'm') then 'view'
      else 'table'
    end,
    class.relname,
    null,
    null,
    class.relowner,
    class.relacl
  from target
  join pg_catalog.pg_class as class on class.relnamespace = target.oid
  where class.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
    and not exists (
      select
      from pg_catalog.pg_depend as member
      where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and member.objid = class.oid
        and member.objsubid = 0
        and member.deptype = 'e'
    )
  union all
  select 'column', class.relname, attribute.attname, null, class.relowner, attribute.attacl
  from target
  join pg_catalog.pg_class as class on class.relnamespace = target.oid
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  where attribute.attacl is not null
    and not attribute.attisdropped
  union all
  select
    'function',
    routine.proname,
    null,
    pg_catalog.oidvectortypes(routine.proargtypes),
    routine.proowner,
    coalesce(routine.proacl, pg_catalog.acldefault('f', routine.proowner))
  from target
  join pg_catalog.pg_proc as routine on routine.pronamespace = target.oid
  where not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and member.objid = routine.oid
      and member.deptype = 'e'
  )
  union all
  select
    'type',
    type.typname,
    null,
    null,
    type.typowner,
    coalesce(type.typacl, pg_catalog.acldefault('T', type.typowner))
  from target
  join pg_catalog.pg_type as type on type.typnamespace = target.oid
  left join pg_catalog.pg_class as class on class.oid = type.typrelid
  where type.typtype in ('e', 'd', 'c', 'r', 'b')
    and (type.typtype <> 'c' or class.relkind = 'c')
    and type.typcategory <> 'A'
    and not exists (
      select
      from pg_catalog.pg_depend as member
      where member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        and member.objid = type.oid
        and member.deptype = 'e'
    )
  union all
  select
    'default privileges',
    case defaults.defaclobjtype
      when 'r' then 'tables'
      when 'S' then 'sequences'
      when 'f' then 'functions'
      else 'types'
    end || ' of ' || role.rolname,
    null,
    null,
    defaults.defaclrole,
    defaults.defaclacl
  from target
  join pg_catalog.pg_default_acl as defaults on defaults.defaclnamespace = target.oid
  join pg_catalog.pg_roles as role on role.oid = defaults.defaclrole
)
select
  acl.kind,
  acl.object,
  acl."column",
  acl.arguments,
  coalesce(grantee.rolname::text, 'PUBLIC') as grantee,
  pg_catalog.array_agg(
    distinct (
      pg_catalog.lower(item.privilege_type) || case when item.is_grantable then ' with grant option' else '' end
    ) collate "C"
  ) as privileges
from acl
cross join pg_catalog.aclexplode(acl.items) as item
left join pg_catalog.pg_roles as grantee on grantee.oid = item.grantee
where item.grantee <> acl.owner
group by acl.kind, acl.object, acl."column", acl.arguments, grantee.rolname
order by
  acl.kind,
  acl.object collate "C",
  acl."column" collate "C",
  acl.arguments collate "C",
  grantee.rolname
