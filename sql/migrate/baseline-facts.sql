-- Can the database have been built without aisec?
-- Parameters: $1 schema (text)
-- Columns:    server_encoding, is_empty (no table, view or sequence in the schema)
-- Needs:      nothing
select
  pg_catalog.current_setting('server_encoding') as server_encoding,
  not exists (
    select
    from pg_catalog.pg_class as relation
    join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
    where namespace.nspname = $1
  ) as is_empty
