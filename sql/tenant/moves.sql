-- Which tenants would Citus move by its own strategy, and where?
-- Parameters: none
-- Columns:    schema (text), to_host (text), to_port (integer)
-- Needs:      the extension citus, and an answer of every node
select
  namespace.nspname::text as schema,
  pg_catalog.max(moves.targetname) as to_host,
  pg_catalog.max(moves.targetport) as to_port
from pg_catalog.get_rebalance_table_shards_plan() as moves
join pg_catalog.pg_dist_shard as shards on shards.shardid = moves.shardid
join pg_catalog.pg_dist_partition as tables on tables.logicalrelid = shards.logicalrelid
join pg_catalog.pg_dist_schema as distributed on distributed.colocationid = tables.colocationid
join pg_catalog.pg_namespace as namespace on namespace.oid = distributed.schemaid
group by namespace.nspname
