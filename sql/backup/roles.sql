-- The statements that make the roles of the embedded database elsewhere: roles, attributes, memberships. No passwords.
-- Columns: statement, in the order in which they run.
-- Role: any.
with own_role as (
  select * from pg_catalog.pg_roles where oid <> 10 and rolname !~ '^pg_'
)
select statement
from (
  select
    1 as step,
    rolname::text as name,
    pg_catalog.format('CREATE ROLE %I;', rolname) as statement
  from own_role
  union all
  select
    2,
    rolname::text,
    pg_catalog.format(
      'ALTER ROLE %I WITH %s %s %s %s %s %s;',
      rolname,
      case when rolsuper then 'SUPERUSER' else 'NOSUPERUSER' end,
      case when rolinherit then 'INHERIT' else 'NOINHERIT' end,
      case when rolcreaterole then 'CREATEROLE' else 'NOCREATEROLE' end,
      case when rolcreatedb then 'CREATEDB' else 'NOCREATEDB' end,
      case when rolcanlogin then 'LOGIN' else 'NOLOGIN' end,
      case when rolbypassrls then 'BYPASSRLS' else 'NOBYPASSRLS' end
    )
  from own_role
  union all
  select
    3,
    granted.rolname::text || ' ' || member_role.rolname::text,
    pg_catalog.format(
      'GRANT %I TO %I WITH INHERIT %s, SET %s;',
      granted.rolname,
      member_role.rolname,
      case when inherit_option then 'TRUE' else 'FALSE' end,
      case when set_option then 'TRUE' else 'FALSE' end
    )
  from pg_catalog.pg_auth_members
  join pg_catalog.pg_roles as granted on granted.oid = roleid
  join own_role as member_role on member_role.oid = member
) as statements
order by step, name
