-- Which triggers of tables run when rows are inserted?
-- Parameters: $1 text[]: tables as SQL, each name quoted
-- Columns:    table (quoted, as SQL), trigger (quoted), is_always
-- Needs:      nothing
select
  pg_catalog.format('%I.%I', namespace.nspname, class.relname) as "table",
  pg_catalog.quote_ident(item.tgname) as trigger,
  item.tgenabled = 'A' as is_always
from pg_catalog.pg_trigger as item
join pg_catalog.pg_class as class on class.oid = item.tgrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where not item.tgisinternal
  and item.tgparentid = 0
  and item.tgenabled in ('O', 'A')
  and '"' || pg_catalog.replace(namespace.nspname, '"', '""') || '"."' || pg_catalog.replace(class.relname, '"', '""') || '"'
      = any ($1::text[])
order by 1, 2
