-- Which views does a schema have?
-- Parameters: $1 schema (text)
-- Columns:    name, kind (view, materialized view), definition, options (text[], such as security_invoker=true),
--             comment
-- Needs:      nothing
select
  class.relname::text as name,
  case class.relkind
    when 'v' then 'view'
    else 'materialized view'
  end as kind,
  pg_catalog.pg_get_viewdef(class.oid, true) as definition,
  array(
    select option.text
    from pg_catalog.unnest(class.reloptions) as option (text)
    order by option.text collate "C"
  ) as options,
  pg_catalog.obj_description(class.oid, 'pg_class') as comment
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('v', 'm')
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.objsubid = 0
      and member.deptype = 'e'
  )
order by class.relname
