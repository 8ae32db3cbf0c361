-- Which tenants has Citus, where do they lie, how large are they there, and where would Citus move them by its own strategy?
-- Parameters: none
-- Columns:    schema (text), host (text), port (integer), bytes (bigint, as text; indexes and TOAST among them), tables (integer,
--             partitions among them), to_host (text), to_port (integer; both null: it stays)
-- Needs:      the extension citus
select
  namespace.nspname::text as schema,
  nodes.nodename as host,
  nodes.nodeport as port,
  pg_catalog.sum(sizes.size)::bigint::text as bytes,
  pg_catalog.count(*)::integer as tables,
  pg_catalog.max(moves.targetname) as to_host,
  pg_catalog.max(moves.targetport) as to_port
from pg_catalog.pg_dist_schema as distributed
join pg_catalog.pg_namespace as namespace on namespace.oid = distributed.schemaid
join pg_catalog.pg_dist_partition as tables on tables.colocationid = distributed.colocationid
join pg_catalog.pg_dist_shard as shards on shards.logicalrelid = tables.logicalrelid
join pg_catalog.pg_dist_placement as placements on placements.shardid = shards.shardid
join pg_catalog.pg_dist_node as nodes on nodes.groupid = placements.groupid and nodes.noderole = 'primary'
join pg_catalog.citus_shard_sizes() as sizes on sizes.shard_id = shards.shardid
left join pg_catalog.get_rebalance_table_shards_plan() as moves on moves.shardid = shards.shardid
group by namespace.nspname, nodes.nodename, nodes.nodeport
order by pg_catalog.sum(sizes.size) desc, namespace.nspname
