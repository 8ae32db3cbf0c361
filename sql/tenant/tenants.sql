-- Which tenants has Citus, where do they lie, and how large are they there? Each node is asked for its own tenants, once.
-- Parameters: $1 away (text[]: nodes that are not asked, as host:port)
-- Columns:    schema (text), host (text), port (integer), tables (integer, partitions among them), bytes (bigint, as text; indexes and TOAST
--             among them; null: not measured), problem (text: what the node says that did not measure them; else null)
-- Needs:      the extension citus
with shards as (
  select
    namespace.nspname::text as schema,
    pg_catalog.shard_name(tables.logicalrelid, shard.shardid) as shard_name,
    node.nodename,
    node.nodeport
  from pg_catalog.pg_dist_schema as distributed
  join pg_catalog.pg_namespace as namespace on namespace.oid = distributed.schemaid
  join pg_catalog.pg_dist_partition as tables on tables.colocationid = distributed.colocationid
  join pg_catalog.pg_dist_shard as shard on shard.logicalrelid = tables.logicalrelid
  join pg_catalog.pg_dist_placement as placement on placement.shardid = shard.shardid
  join pg_catalog.pg_dist_node as node on node.groupid = placement.groupid and node.noderole = 'primary'
),
commands as (
  select
    nodename,
    nodeport,
    pg_catalog.format(
      $command$
        select pg_catalog.json_object_agg(schema, bytes)
        from (
          select shard.schema, pg_catalog.sum(pg_total_relation_size(pg_catalog.to_regclass(shard.name))) as bytes
          from rows from (pg_catalog.unnest(%L::text[]), pg_catalog.unnest(%L::text[])) as shard (schema, name)
          group by shard.schema
        ) as sums
      $command$,
      pg_catalog.array_agg(schema),
      pg_catalog.array_agg(shard_name)
    ) as command
  from shards
  where nodename || ':' || nodeport <> all ($1::text[])
  group by nodename, nodeport
),
answers as (
  select answer.node_name, answer.node_port, answer.success, answer.result
  from commands
  cross join lateral pg_catalog.master_run_on_worker(
    array[commands.nodename], array[commands.nodeport], array[commands.command], false
  ) as answer
)
select
  shards.schema,
  shards.nodename as host,
  shards.nodeport as port,
  pg_catalog.count(*)::integer as tables,
  case when answers.success then answers.result::json ->> shards.schema end as bytes,
  case when not answers.success then answers.result end as problem
from shards
left join answers on answers.node_name = shards.nodename and answers.node_port = shards.nodeport
group by shards.schema, shards.nodename, shards.nodeport, answers.success, answers.result
order by (case when answers.success then answers.result::json ->> shards.schema end)::bigint desc nulls last, shards.schema
