-- Is an extension installed in this database, and could it be?
-- Parameters: $1 extension (text)
-- Columns:    schema (quoted; null: not installed), isAvailable, isPreloaded (null: the role may not see it)
-- Needs:      nothing; pg_read_all_settings to see what is preloaded
select
  (
    select pg_catalog.quote_ident(namespace.nspname)
    from pg_catalog.pg_extension as extension
    join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
    where extension.extname = $1
  ) as schema,
  exists (select from pg_catalog.pg_available_extensions where name = $1) as "isAvailable",
  (
    select $1 = any (pg_catalog.string_to_array(pg_catalog.replace(setting, ' ', ''), ','))
    from pg_catalog.pg_settings
    where name = 'shared_preload_libraries'
  ) as "isPreloaded"
