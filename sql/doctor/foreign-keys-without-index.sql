-- Which foreign keys have no index that a delete in the referenced table could use?
-- Parameters: $1 schema (text)
-- Columns:    name, table_name, columns (text[]), referenced, is_partitioned
-- Needs:      nothing
-- A foreign key of a partitioned table counts once. An index serves when its first columns are those of the key, in any
-- order, or its condition is no more than that one of them is not null.
select
  keys.conname::text as name,
  class.relname::text as table_name,
  array(
    select attribute.attname::text
    from pg_catalog.unnest(keys.conkey) with ordinality as member (attnum, position)
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = keys.conrelid
      and attribute.attnum = member.attnum
    order by member.position
  ) as columns,
  referenced.relname::text as referenced,
  class.relkind = 'p' as is_partitioned
from pg_catalog.pg_constraint as keys
join pg_catalog.pg_class as class on class.oid = keys.conrelid
join pg_catalog.pg_class as referenced on referenced.oid = keys.confrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and keys.contype = 'f'
  and keys.conparentid = 0
  -- The keys of archived months stand on each partition; those of a month are served by the index of its root.
  and not class.relispartition
  and not exists (
    select
    from pg_catalog.pg_index as index
    where index.indrelid = keys.conrelid
      and index.indisvalid
      and (index.indkey::int2[])[0:pg_catalog.cardinality(keys.conkey) - 1] @> keys.conkey
      and (
        index.indpred is null
        or exists (
          select
          from pg_catalog.pg_attribute as attribute
          where attribute.attrelid = keys.conrelid
            and attribute.attnum = any (keys.conkey)
            and pg_catalog.pg_get_expr(index.indpred, index.indrelid)
              = pg_catalog.format('(%I IS NOT NULL)', attribute.attname)
        )
      )
  )
order by 1
