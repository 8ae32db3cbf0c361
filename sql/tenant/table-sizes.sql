-- How large is each table of a tenant of Citus, part by part, and how many rows has it? Measured on the node that has them.
-- Parameters: $1 schema (text)
-- Columns:    as monitor/tables; host (text), port (integer), problem (text: what the node says that did not measure it; else null)
-- Needs:      the extension citus
with recursive tree as (
  select
    class.oid as root_oid,
    class.oid
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relkind in ('r', 'p')
    and not class.relispartition
  union all
  select
    tree.root_oid,
    inherits.inhrelid
  from tree
  join pg_catalog.pg_inherits as inherits on inherits.inhparent = tree.oid
),
shards as (
  select
    tree.oid,
    shard.shardid,
    pg_catalog.shard_name(tree.oid::regclass, shard.shardid) as shard_name,
    node.nodename,
    node.nodeport
  from tree
  join pg_catalog.pg_class as class on class.oid = tree.oid and class.relkind = 'r'
  join pg_catalog.pg_dist_shard as shard on shard.logicalrelid = tree.oid
  join pg_catalog.pg_dist_placement as placement on placement.shardid = shard.shardid
  join pg_catalog.pg_dist_node as node on node.groupid = placement.groupid and node.noderole = 'primary'
),
-- One for all tables of a node: each command has a connection of its own, which takes longer than the measuring.
commands as (
  select
    nodename,
    nodeport,
    pg_catalog.format(
      $command$
        select pg_catalog.json_object_agg(shard.id, pg_catalog.json_build_object(
          'heap', pg_relation_size(class.oid),
          'map', pg_relation_size(class.oid, 'fsm') + pg_relation_size(class.oid, 'vm'),
          'toast', case when class.reltoastrelid = 0 then 0 else pg_total_relation_size(class.reltoastrelid) end,
          'index', pg_indexes_size(class.oid),
          'rows', case
            when pg_stat_get_live_tuples(class.oid) > 0 then pg_stat_get_live_tuples(class.oid)
            when class.reltuples >= 0 then class.reltuples::bigint
            when pg_relation_size(class.oid) = 0 then 0
          end,
          'dead', pg_stat_get_dead_tuples(class.oid)
        ))
        from rows from (pg_catalog.unnest(%L::bigint[]), pg_catalog.unnest(%L::text[])) as shard (id, name)
        join pg_class as class on class.oid = shard.name::regclass
      $command$,
      pg_catalog.array_agg(shardid),
      pg_catalog.array_agg(shard_name)
    ) as command
  from shards
  group by nodename, nodeport
),
measured as (
  select
    shards.oid,
    shards.nodename,
    shards.nodeport,
    answer.success,
    answer.result,
    case when answer.success then answer.result::json -> shards.shardid::text end as sizes
  from commands
  cross join lateral pg_catalog.master_run_on_worker(
    array[commands.nodename], array[commands.nodeport], array[commands.command], false
  ) as answer
  join shards on shards.nodename = answer.node_name and shards.nodeport = answer.node_port
)
select
  tree.root_oid::bigint as "rootOid",
  tree.oid = tree.root_oid as "isRoot",
  class.relkind = 'p' as "isPartitioned",
  namespace.nspname::text as schema,
  class.relname::text as table,
  pg_catalog.quote_ident(class.relname) as identifier,
  parts.heap + parts.map + parts.toast + parts.index as "totalBytes",
  parts.heap as "heapBytes",
  parts.map as "mapBytes",
  parts.toast as "toastBytes",
  parts.index as "indexBytes",
  false as "isEstimated",
  null::integer as "lockedBy",
  (measured.sizes ->> 'rows')::float8 as rows,
  (measured.sizes ->> 'dead')::float8 as "deadRows",
  measured.nodename as host,
  measured.nodeport as port,
  case when not measured.success then measured.result end as problem
from tree
join pg_catalog.pg_class as class on class.oid = tree.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join measured on measured.oid = tree.oid
cross join lateral (
  select
    coalesce((measured.sizes ->> 'heap')::float8, 0) as heap,
    coalesce((measured.sizes ->> 'map')::float8, 0) as map,
    coalesce((measured.sizes ->> 'toast')::float8, 0) as toast,
    coalesce((measured.sizes ->> 'index')::float8, 0) as index
) as parts
order by tree.root_oid, class.relname
