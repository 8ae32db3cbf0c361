-- Where does this connection find the platform?
-- Parameters: none
-- Columns:    database, schema (null: it finds none), extension_schema (of vector; null: not installed)
-- Needs:      nothing
select
  pg_catalog.current_database()::text as database,
  (
    select namespace.nspname::text
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.oid = pg_catalog.to_regclass('users')
  ) as schema,
  (
    select namespace.nspname::text
    from pg_catalog.pg_extension as extension
    join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
    where extension.extname = 'vector'
  ) as extension_schema
