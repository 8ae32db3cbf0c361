-- As which roles do services work: authenticated, and every role that may log in and take it?
-- Parameters: $1 schema (text)
-- Columns:    name, can_log_in, is_superuser, bypasses_rls; inherits (has the rights of authenticated without taking it),
--             inherited_by (json: role, grantor: the memberships in authenticated that make it inherit, its own or those of
--             a role between; grantor null where it is the superuser of the server);
--             owned_tables (text[], in the schema), main_owner (who owns most of the schema's tables), can_create (in the
--             schema), reads_password_hash, reads_all_of_users
-- Needs:      nothing
with recursive member as (
  select
    role.oid,
    false as inherits,
    null::oid as link,
    null::oid as link_grantor
  from pg_catalog.pg_roles as role
  where role.rolname = 'authenticated'
  union
  select
    membership.member,
    membership.inherit_option and (member.link is null or member.inherits),
    coalesce(member.link, membership.member),
    case when member.link is null then membership.grantor else member.link_grantor end
  from member
  join pg_catalog.pg_auth_members as membership on membership.roleid = member.oid
  where membership.inherit_option
    or membership.set_option
),
tables as (
  select
    class.oid,
    class.relname,
    class.relowner
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relkind in ('r', 'p')
),
users as (
  select
    tables.oid as table_oid,
    attribute.attnum
  from tables
  join pg_catalog.pg_attribute as attribute on attribute.attrelid = tables.oid
  where tables.relname = 'users'
    and attribute.attname = 'password_hash'
)
select
  role.rolname::text as name,
  role.rolcanlogin as can_log_in,
  role.rolsuper as is_superuser,
  role.rolbypassrls as bypasses_rls,
  pg_catalog.bool_or(member.inherits) as inherits,
  (
    select coalesce(
      pg_catalog.json_agg(
        distinct pg_catalog.jsonb_build_object(
          'role', pg_catalog.pg_get_userbyid(own.link),
          'grantor', case when own.link_grantor <> 10 then pg_catalog.pg_get_userbyid(own.link_grantor) end
        )
      ),
      '[]'
    )
    from member as own
    where own.oid = role.oid
      and own.inherits
  ) as inherited_by,
  array(select relname::text from tables where relowner = role.oid order by relname) as owned_tables,
  (
    select pg_catalog.pg_get_userbyid(relowner)::text
    from tables
    group by relowner
    order by pg_catalog.count(*) desc, relowner
    limit 1
  ) as main_owner,
  coalesce(
    pg_catalog.has_schema_privilege(
      role.oid,
      (select oid from pg_catalog.pg_namespace where nspname = $1),
      'create'
    ),
    false
  ) as can_create,
  coalesce(
    (select pg_catalog.has_column_privilege(role.oid, users.table_oid, users.attnum, 'select') from users),
    false
  ) as reads_password_hash,
  coalesce(
    (select pg_catalog.has_table_privilege(role.oid, users.table_oid, 'select') from users),
    false
  ) as reads_all_of_users
from member
join pg_catalog.pg_roles as role on role.oid = member.oid
where role.rolcanlogin
  or role.rolname = 'authenticated'
group by
  role.oid,
  role.rolname,
  role.rolcanlogin,
  role.rolsuper,
  role.rolbypassrls
order by role.rolname
