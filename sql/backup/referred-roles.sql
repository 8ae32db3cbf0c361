-- Every role that the database refers to: owners, grantees, roles of policies and of default privileges.
-- Columns: role.
-- Role: any.
-- pg_shdepend leaves out what can never go, so that the superuser of initdb is looked for among the owners.
-- https://www.postgresql.org/docs/17/catalog-pg-shdepend.html
with database as (
  select oid, datdba
  from pg_catalog.pg_database
  where datname = pg_catalog.current_database()
), referred as (
  select pg_shdepend.refobjid as role_oid
  from pg_catalog.pg_shdepend
  join database
    on dbid = database.oid
    or (dbid = 0 and classid = 'pg_catalog.pg_database'::regclass and objid = database.oid)
  where refclassid = 'pg_catalog.pg_authid'::regclass
  union
  select datdba
  from database
  union
  select relowner
  from pg_catalog.pg_class
  join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
  where nspname !~ '^pg_'
    and nspname <> 'information_schema'
)
select rolname::text as role
from referred
join pg_catalog.pg_roles on pg_roles.oid = role_oid
order by rolname
