-- On which node of Citus does a tenant lie?
-- Parameters: $1 schema (text)
-- Columns:    node (text: host:port)
-- Needs:      the extension citus
select distinct nodes.nodename || ':' || nodes.nodeport as node
from pg_catalog.pg_dist_schema as distributed
join pg_catalog.pg_namespace as namespace on namespace.oid = distributed.schemaid
join pg_catalog.pg_dist_partition as tables on tables.colocationid = distributed.colocationid
join pg_catalog.pg_dist_shard as shards on shards.logicalrelid = tables.logicalrelid
join pg_catalog.pg_dist_placement as placements on placements.shardid = shards.shardid
join pg_catalog.pg_dist_node as nodes on nodes.groupid = placements.groupid and nodes.noderole = 'primary'
where namespace.nspname = $1
