-- How large are the tables of a schema, and which partitions do they have?
-- Parameters: $1 schema (text)
-- Columns:    sql_name, rows (estimate with those of partitions; -1: never counted), partitions (text[], leaves)
-- Needs:      nothing
select
  class.oid::regclass::text as sql_name,
  case class.relkind
    when 'p' then (
      select coalesce(pg_catalog.sum(greatest(leaf_class.reltuples, 0)), 0)
      from pg_catalog.pg_partition_tree(class.oid) as leaf
      join pg_catalog.pg_class as leaf_class on leaf_class.oid = leaf.relid
      where leaf.isleaf
    )::float8
    else class.reltuples::float8
  end as rows,
  array(
    select leaf.relid::regclass::text
    from pg_catalog.pg_partition_tree(class.oid) as leaf
    where leaf.isleaf
      and leaf.relid <> class.oid
    order by leaf.relid
  ) as partitions
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('r', 'p', 'm')
order by 1
