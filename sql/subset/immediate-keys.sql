-- Which foreign keys between tables are checked at the end of each statement and not later?
-- Parameters: $1 text[]: tables as SQL, each name quoted
-- Columns:    schema, table, name
-- Needs:      nothing
select namespace.nspname::text as schema, class.relname::text as "table", item.conname::text as name
from pg_catalog.pg_constraint as item
join pg_catalog.pg_class as class on class.oid = item.conrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where item.contype = 'f'
  and not item.condeferrable
  and item.conparentid = 0
  and '"' || pg_catalog.replace(namespace.nspname, '"', '""') || '"."' || pg_catalog.replace(class.relname, '"', '""') || '"'
      = any ($1::text[])
order by 1, 2, 3
