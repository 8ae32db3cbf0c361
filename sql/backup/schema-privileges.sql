-- What the role that restores may create.
-- Parameters: $1 a schema.
-- Columns: role_name, may_create_schemas, may_create_in_schema (null where there is no such schema).
-- Role: any.
select
  current_user::text as role_name,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create') as may_create_schemas,
  (
    select pg_catalog.has_schema_privilege(oid, 'create')
    from pg_catalog.pg_namespace
    where nspname = $1
  ) as may_create_in_schema
