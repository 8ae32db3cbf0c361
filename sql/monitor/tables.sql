-- How large is each table of a schema, part by part, and how many rows has it?
-- Parameters: $1 schema (text), $2 measure nothing (boolean; true: every size is an estimate)
-- Columns:    rootOid, isRoot, isPartitioned (then it stores nothing itself), schema, table, identifier (table as SQL takes it);
--             totalBytes, and of it heapBytes, mapBytes (free space and visibility maps), toastBytes (with its index), indexBytes;
--             isEstimated (from the pages last counted, since another session has a part of it locked), lockedBy (pid); rows
--             (null when never counted), deadRows (null when there are no counters)
-- Needs:      nothing
-- A size is had under an ACCESS SHARE lock, and a relation that another session has locked whole, or waits to lock whole, is
-- not touched. pg_inherits is walked because pg_partition_tree would lock every partition. What was dropped meanwhile
-- measures null.
with recursive locked as materialized (
  select
    relation as oid,
    (pg_catalog.array_agg(pid order by granted desc, pid))[1] as pid
  from pg_catalog.pg_locks
  where locktype = 'relation'
    and mode = 'AccessExclusiveLock'
    and pid <> pg_catalog.pg_backend_pid()
    and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  group by relation
),
tree as (
  select
    class.oid as root_oid,
    class.oid
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname = $1
    and class.relkind in ('r', 'm', 'p')
    and not class.relispartition
  union all
  select
    tree.root_oid,
    inherits.inhrelid
  from tree
  join pg_catalog.pg_class as parent on parent.oid = tree.oid
  join pg_catalog.pg_inherits as inherits on inherits.inhparent = parent.oid
  where parent.relkind = 'p'
),
parts as (
  select
    oid as table_oid,
    oid,
    'heap' as part
  from tree
  union all
  select
    tree.oid,
    class.reltoastrelid,
    'toast'
  from tree
  join pg_catalog.pg_class as class on class.oid = tree.oid
  where class.reltoastrelid <> 0
  union all
  select
    tree.oid,
    index.indexrelid,
    case when index.indrelid = tree.oid then 'index' else 'toast' end
  from tree
  join pg_catalog.pg_class as class on class.oid = tree.oid
  join pg_catalog.pg_index as index on index.indrelid in (tree.oid, nullif(class.reltoastrelid, 0))
),
measured as (
  select
    parts.table_oid,
    parts.part,
    locked.pid,
    $2::boolean or locked.oid is not null as is_estimated,
    case
      when $2::boolean or locked.oid is not null
        then greatest(class.relpages, 0) * pg_catalog.current_setting('block_size')::bigint
      else pg_catalog.pg_relation_size(parts.oid, 'main')
    end as main_bytes,
    case
      when $2::boolean or locked.oid is not null then 0
      else pg_catalog.pg_relation_size(parts.oid, 'fsm')
        + pg_catalog.pg_relation_size(parts.oid, 'vm')
        + pg_catalog.pg_relation_size(parts.oid, 'init')
    end as other_bytes
  from parts
  join pg_catalog.pg_class as class on class.oid = parts.oid
  left join locked on locked.oid = parts.oid
  where class.relkind not in ('p', 'I')
),
sizes as (
  select
    table_oid,
    pg_catalog.bool_or(is_estimated) as is_estimated,
    pg_catalog.min(pid) as locked_by,
    pg_catalog.sum(main_bytes + other_bytes) as total_bytes,
    pg_catalog.sum(main_bytes) filter (where part = 'heap') as heap_bytes,
    pg_catalog.sum(other_bytes) filter (where part = 'heap') as map_bytes,
    pg_catalog.sum(main_bytes + other_bytes) filter (where part = 'toast') as toast_bytes,
    pg_catalog.sum(main_bytes + other_bytes) filter (where part = 'index') as index_bytes
  from measured
  group by table_oid
)
select
  tree.root_oid::bigint as "rootOid",
  tree.oid = tree.root_oid as "isRoot",
  class.relkind = 'p' as "isPartitioned",
  namespace.nspname::text as schema,
  class.relname::text as table,
  pg_catalog.quote_ident(class.relname) as identifier,
  coalesce(sizes.total_bytes, 0)::float8 as "totalBytes",
  coalesce(sizes.heap_bytes, 0)::float8 as "heapBytes",
  coalesce(sizes.map_bytes, 0)::float8 as "mapBytes",
  coalesce(sizes.toast_bytes, 0)::float8 as "toastBytes",
  coalesce(sizes.index_bytes, 0)::float8 as "indexBytes",
  coalesce(sizes.is_estimated, false) as "isEstimated",
  sizes.locked_by as "lockedBy",
  case
    when pg_catalog.pg_stat_get_live_tuples(tree.oid) > 0 then pg_catalog.pg_stat_get_live_tuples(tree.oid)::float8
    when class.reltuples >= 0 then class.reltuples::bigint::float8
    when sizes.heap_bytes = 0 and not sizes.is_estimated then 0
  end as rows,
  case
    when pg_catalog.pg_stat_get_live_tuples(tree.oid) + pg_catalog.pg_stat_get_dead_tuples(tree.oid) > 0
      or class.reltuples <= 0
      then pg_catalog.pg_stat_get_dead_tuples(tree.oid)::float8
  end as "deadRows"
from tree
join pg_catalog.pg_class as class on class.oid = tree.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join sizes on sizes.table_oid = tree.oid
where class.relkind = 'p'
  or sizes.heap_bytes is not null
order by tree.root_oid, class.relname
