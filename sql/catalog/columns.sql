-- Which columns do the tables and views of a schema have? In the order of the columns, dropped ones left out.
-- Parameters: $1 schema (text)
-- Columns:    table, name, type, not_null, default, identity (always, by default), generated, collation, storage,
--             statistics_target, options (text[]), comment; collation, storage and statistics_target are null where the
--             type's or the server's own apply
-- Needs:      nothing
select
  class.relname::text as "table",
  attribute.attname::text as name,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) as type,
  attribute.attnotnull as not_null,
  case when attribute.attgenerated = '' then pg_catalog.pg_get_expr(value.adbin, value.adrelid) end as "default",
  case attribute.attidentity
    when 'a' then 'always'
    when 'd' then 'by default'
  end as identity,
  case attribute.attgenerated
    when 's' then 'stored as ' || pg_catalog.pg_get_expr(value.adbin, value.adrelid)
    when 'v' then 'virtual as ' || pg_catalog.pg_get_expr(value.adbin, value.adrelid)
  end as generated,
  case when attribute.attcollation <> type.typcollation then sort_order.collname::text end as "collation",
  case
    when attribute.attstorage <> type.typstorage then
      case attribute.attstorage
        when 'p' then 'plain'
        when 'e' then 'external'
        when 'm' then 'main'
        else 'extended'
      end
  end as storage,
  -- "The server's own" is -1 up to PostgreSQL 16, null since.
  nullif(attribute.attstattarget, -1)::integer as statistics_target,
  array(
    select option.text
    from pg_catalog.unnest(attribute.attoptions) as option (text)
    -- PostgreSQL 17.12 keeps a number of its own there, which was not set and which differs between databases.
    where option.text not like 'pg\_attver=%'
    order by option.text collate "C"
  ) as options,
  pg_catalog.col_description(class.oid, attribute.attnum) as comment
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
left join pg_catalog.pg_collation as sort_order on sort_order.oid = attribute.attcollation
left join pg_catalog.pg_attrdef as value
  on value.adrelid = class.oid
  and value.adnum = attribute.attnum
where namespace.nspname = $1
  and class.relkind in ('r', 'p', 'f', 'v', 'm')
  and attribute.attnum > 0
  and not attribute.attisdropped
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.objsubid = 0
      and member.deptype = 'e'
  )
order by class.relname, attribute.attnum
