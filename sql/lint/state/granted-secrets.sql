-- Which columns with secrets may a role read?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text || '.' || attribute.attname || '/' || reader.role_name as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('role %s may read %I of %s', reader.role_name, attribute.attname, class.oid::regclass) as message,
  pg_catalog.format(
    E'revoke select on %s from %s;\ngrant select (%s) on %s to %s;',
    class.oid::regclass,
    reader.role_name,
    (
      select pg_catalog.string_agg(pg_catalog.quote_ident(other.attname), ', ' order by other.attnum)
      from pg_catalog.pg_attribute as other
      where other.attrelid = class.oid
        and other.attnum > 0
        and not other.attisdropped
        and other.attname !~* '(password|passwd|secret(?!ar)|api_?key|private_?key)'
    ),
    class.oid::regclass,
    reader.role_name
  ) as fix
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select distinct case privilege.grantee when 0 then 'public' else privilege.grantee::regrole::text end as role_name
  from (
    select exploded.grantee, exploded.privilege_type
    from pg_catalog.aclexplode(class.relacl) as exploded
    union
    select exploded.grantee, exploded.privilege_type
    from pg_catalog.aclexplode(attribute.attacl) as exploded
  ) as privilege
  where privilege.grantee <> class.relowner
    and privilege.privilege_type = 'SELECT'
) as reader
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p', 'v', 'm')
  and attribute.attnum > 0
  and not attribute.attisdropped
  and attribute.attname ~* '(password|passwd|secret(?!ar)|api_?key|private_?key)'
order by 1
