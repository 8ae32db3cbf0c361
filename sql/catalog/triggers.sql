-- Which triggers do the tables and views of a schema have? Those behind constraints left out.
-- Parameters: $1 schema (text)
-- Columns:    table, name, definition, enabled (origin: as usual; disabled, replica, always), comment
-- Needs:      nothing
select
  class.relname::text as "table",
  item.tgname::text as name,
  pg_catalog.pg_get_triggerdef(item.oid, true) as definition,
  case item.tgenabled
    when 'O' then 'origin'
    when 'D' then 'disabled'
    when 'R' then 'replica'
    else 'always'
  end as enabled,
  pg_catalog.obj_description(item.oid, 'pg_trigger') as comment
from pg_catalog.pg_trigger as item
join pg_catalog.pg_class as class on class.oid = item.tgrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and not item.tgisinternal
order by class.relname, item.tgname
