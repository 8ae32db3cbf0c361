-- Which tables and views have no comment, or columns without one?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format(
    '%s %s: no comment on %s',
    case class.relkind when 'v' then 'view' else 'table' end,
    class.oid::regclass,
    pg_catalog.concat_ws(' and ', case when not bare.has_comment then 'it' end, bare.columns)
  ) as message,
  pg_catalog.concat_ws(
    E'\n',
    case
      when not bare.has_comment
        then pg_catalog.format('comment on %s %s is ''What it holds.'';', case class.relkind when 'v' then 'view' else 'table' end, class.oid::regclass)
    end,
    bare.statements
  ) as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select
    pg_catalog.obj_description(class.oid, 'pg_class') is not null as has_comment,
    pg_catalog.string_agg(attribute.attname, ', ' order by attribute.attnum) as columns,
    pg_catalog.string_agg(
      pg_catalog.format('comment on column %s.%I is ''What it means.'';', class.oid::regclass, attribute.attname),
      E'\n' order by attribute.attnum
    ) as statements
  from pg_catalog.pg_attribute as attribute
  where attribute.attrelid = class.oid
    and attribute.attnum > 0
    and not attribute.attisdropped
    and pg_catalog.col_description(class.oid, attribute.attnum) is null
) as bare
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p', 'v')
  and not class.relispartition
  and (not bare.has_comment or bare.columns is not null)
order by 1
