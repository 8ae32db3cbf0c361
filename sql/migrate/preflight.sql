-- What may this role do, before the first migration is run?
-- Parameters: $1 schema (text), $2 wanted extensions (text[]), $3 wanted roles (text[])
-- Columns:    role_name, schema_exists, can_create_in_schema, can_create_schema, is_read_only, server_encoding,
--             extensions (json: name, available, installed_schema, may_use, may_create), missing_roles (text[]), can_create_role
-- Needs:      nothing
with me as (
  select rolsuper, rolcreaterole
  from pg_catalog.pg_roles
  where rolname = current_user
),
target as (
  select oid
  from pg_catalog.pg_namespace
  where nspname = $1
)
select
  current_user::text as role_name,
  exists (select from target) as schema_exists,
  coalesce((select pg_catalog.has_schema_privilege(oid, 'create') from target), false) as can_create_in_schema,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create') as can_create_schema,
  pg_catalog.pg_is_in_recovery() or pg_catalog.current_setting('transaction_read_only')::boolean as is_read_only,
  pg_catalog.current_setting('server_encoding') as server_encoding,
  (
    select pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', wanted.name,
      'available', exists (
        select
        from pg_catalog.pg_available_extensions as available
        where available.name = wanted.name
      ),
      'installed_schema', (
        select namespace.nspname
        from pg_catalog.pg_extension as extension
        join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
        where extension.extname = wanted.name
      ),
      'may_use', not exists (
        select
        from pg_catalog.pg_extension as extension
        where extension.extname = wanted.name
          and not pg_catalog.has_schema_privilege(extension.extnamespace, 'usage')
      ),
      -- The versions are read from the server's disk, one file each (10 ms and more): only when it matters.
      'may_create', me.rolsuper or (
        pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create')
        and exists (
          select
          from pg_catalog.pg_available_extension_versions as version
          where version.name = wanted.name
            and version.trusted
        )
      )
    ))
    from pg_catalog.unnest($2::text[]) as wanted (name)
  ) as extensions,
  array(
    select wanted.name
    from pg_catalog.unnest($3::text[]) as wanted (name)
    where not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
  ) as missing_roles,
  me.rolsuper or me.rolcreaterole as can_create_role
from me
