-- On which tables would an index for the scan of one be built?
-- Parameters: $1 schema, $2 table (text)
-- Columns:    table (json of schema and name: the table, or the partitioned one that it is a partition of), partitions (json,
--             its partitions, in order; null: it is not partitioned)
-- Needs:      nothing
-- No row for a foreign table, nor where a partition is of a kind, or of a level, that the statements for partitions do not
-- cover.
with target as (
  select coalesce(pg_catalog.pg_partition_root(class.oid), class.oid) as oid
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relname = $2
),
leaf as (
  select
    pg_catalog.json_agg(
      pg_catalog.json_build_object('schema', namespace.nspname, 'name', class.relname) order by class.relname
    ) as partitions,
    pg_catalog.bool_and(tree.level = 1 and tree.isleaf and class.relkind = 'r') as is_simple
  from target
  cross join lateral pg_catalog.pg_partition_tree(target.oid) as tree
  join pg_catalog.pg_class as class on class.oid = tree.relid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where tree.level > 0
)
select
  pg_catalog.json_build_object('schema', namespace.nspname, 'name', class.relname) as "table",
  leaf.partitions
from target
cross join leaf
join pg_catalog.pg_class as class on class.oid = target.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relkind = 'r'
  or (class.relkind = 'p' and leaf.is_simple)
