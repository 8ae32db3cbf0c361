-- Which columns has a view of an extension?
-- Parameters: $1 schema (text, quoted), $2 view (text)
-- Columns:    columns (text[])
-- Needs:      nothing
-- They follow the version of the extension, which pg_upgrade leaves as it was, and not that of the server.
select array(
  select attribute.attname::text
  from pg_catalog.pg_attribute as attribute
  join pg_catalog.pg_class as class on class.oid = attribute.attrelid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where pg_catalog.quote_ident(namespace.nspname) = $1
    and class.relname = $2
    and attribute.attnum > 0
    and not attribute.attisdropped
) as columns
