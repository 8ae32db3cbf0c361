-- What refers to what, in every schema that is not the server's own?
-- Parameters: none
-- Columns:    name, schema, table, columns (text[]), referredSchema, referredTable, referredColumns (text[]),
--             onDelete, isNullable (one of the columns may be null)
-- Needs:      nothing
-- A partition counts as its root: the keys that it has of its own are those of the root's rows as well.
select distinct
  item.conname::text as name,
  namespace.nspname::text as schema,
  class.relname::text as "table",
  array(
    select attname::text
    from pg_catalog.unnest(item.conkey) with ordinality as own (number, place)
    join pg_catalog.pg_attribute on attrelid = item.conrelid and attnum = own.number
    order by own.place
  ) as columns,
  referred_namespace.nspname::text as "referredSchema",
  referred.relname::text as "referredTable",
  array(
    select attname::text
    from pg_catalog.unnest(item.confkey) with ordinality as other (number, place)
    join pg_catalog.pg_attribute on attrelid = item.confrelid and attnum = other.number
    order by other.place
  ) as "referredColumns",
  case item.confdeltype
    when 'a' then 'no action'
    when 'r' then 'restrict'
    when 'c' then 'cascade'
    when 'n' then 'set null'
    else 'set default'
  end as "onDelete",
  exists (
    select
    from pg_catalog.pg_attribute
    where attrelid = item.conrelid
      and attnum = any (item.conkey)
      and not attnotnull
  ) as "isNullable"
from pg_catalog.pg_constraint as item
join pg_catalog.pg_class as class
  on class.oid = coalesce(pg_catalog.pg_partition_root(item.conrelid)::pg_catalog.oid, item.conrelid)
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_class as referred
  on referred.oid = coalesce(pg_catalog.pg_partition_root(item.confrelid)::pg_catalog.oid, item.confrelid)
join pg_catalog.pg_namespace as referred_namespace on referred_namespace.oid = referred.relnamespace
where item.contype = 'f'
  and item.conparentid = 0
  and namespace.nspname !~ '^pg_'
  and referred_namespace.nspname !~ '^pg_'
order by 2, 3, 1
