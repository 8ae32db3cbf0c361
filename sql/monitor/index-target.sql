-- On which tables would an index for the scan of one be built?
-- Parameters: $1 schema, $2 table (text)
-- Columns:    schema_name, table_name: the table, or the partitioned one that it is a partition of; is_partitioned;
--             leaf_schemas, leaf_names: its partitions, in order; null where one is of a kind, or of a level, that the
--             statements for partitions do not cover
-- Needs:      nothing
with target as (
  select coalesce(pg_catalog.pg_partition_root(class.oid), class.oid) as oid
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relname = $2
),
leaf as (
  select
    pg_catalog.array_agg(namespace.nspname::text order by class.relname) as schemas,
    pg_catalog.array_agg(class.relname::text order by class.relname) as names,
    pg_catalog.bool_and(tree.level = 1 and tree.isleaf and class.relkind = 'r') as is_simple
  from target
  cross join lateral pg_catalog.pg_partition_tree(target.oid) as tree
  join pg_catalog.pg_class as class on class.oid = tree.relid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where tree.level > 0
)
select
  namespace.nspname::text as schema_name,
  class.relname::text as table_name,
  class.relkind = 'p' as is_partitioned,
  case when leaf.is_simple then leaf.schemas end as leaf_schemas,
  case when leaf.is_simple then leaf.names end as leaf_names
from target
cross join leaf
join pg_catalog.pg_class as class on class.oid = target.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relkind in ('r', 'p')
