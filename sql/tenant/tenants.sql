-- Which tenants has Citus, where do they lie, and how large are they there?
-- Parameters: none
-- Columns:    schema (text), host (text), port (integer), bytes (bigint, as text; indexes and TOAST among them), tables (integer, partitions among them)
-- Needs:      the extension citus
select
  namespace.nspname::text as schema,
  nodes.nodename as host,
  nodes.nodeport as port,
  pg_catalog.sum(sizes.size)::bigint::text as bytes,
  pg_catalog.count(*)::integer as tables
from pg_catalog.pg_dist_schema as distributed
join pg_catalog.pg_namespace as namespace on namespace.oid = distributed.schemaid
join pg_catalog.pg_dist_partition as tables on tables.colocationid = distributed.colocationid
join pg_catalog.pg_dist_shard as shards on shards.logicalrelid = tables.logicalrelid
join pg_catalog.pg_dist_placement as placements on placements.shardid = shards.shardid
join pg_catalog.pg_dist_node as nodes on nodes.groupid = placements.groupid and nodes.noderole = 'primary'
join pg_catalog.citus_shard_sizes() as sizes on sizes.shard_id = shards.shardid
group by namespace.nspname, nodes.nodename, nodes.nodeport
order by pg_catalog.sum(sizes.size) desc, namespace.nspname
