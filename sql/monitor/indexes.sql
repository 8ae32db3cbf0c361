-- Which indexes has a schema, how large are they, how often were they used, and which do what another one does?
-- Parameters: $1 schema (text), $2 measure nothing (boolean; true: every size is an estimate)
-- Columns:    rootOid, oid, isRoot, storesRows (false for an index that only has parts); schema, index, identifier (qualified, as
--             SQL takes it), table, method, columns (text), sizeBytes, isEstimated, lockedBy; scans, lastScanAt (timestamptz);
--             isValid, isBuilding, isUnique, isPrimary, isExclusion, isReplicaIdentity, isClustered, isExpression, isPartial,
--             isReferenced (a foreign key refers to it), isStray (on one partition alone, its table's siblings have none),
--             foreignKeys (text[]: those it finds the rows of), coveredBy (text: another valid index of the table that begins
--             with the same columns; null: none)
-- Needs:      nothing
-- pg_get_indexdef would open the table, and wait for a session that has it locked, so indexes are compared by their numbers.
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
tables as materialized (
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
    tables.root_oid,
    inherits.inhrelid
  from tables
  join pg_catalog.pg_class as parent on parent.oid = tables.oid
  join pg_catalog.pg_inherits as inherits on inherits.inhparent = parent.oid
  where parent.relkind = 'p'
),
indexes as materialized (
  select
    tables.root_oid as root_table_oid,
    class.relkind,
    class.relname,
    class.relnamespace,
    class.relpages,
    class.relam,
    index.*,
    (index.indkey::int2[])[0:index.indnkeyatts - 1] as key_columns,
    inherits.inhparent as parent_oid
  from tables
  join pg_catalog.pg_index as index on index.indrelid = tables.oid
  join pg_catalog.pg_class as class on class.oid = index.indexrelid
  left join pg_catalog.pg_inherits as inherits on inherits.inhrelid = index.indexrelid
),
tree as (
  select
    indexrelid as root_oid,
    indexrelid as oid
  from indexes
  where parent_oid is null
  union all
  select
    tree.root_oid,
    indexes.indexrelid
  from tree
  join indexes on indexes.parent_oid = tree.oid
)
select
  tree.root_oid::bigint as "rootOid",
  tree.oid::bigint as oid,
  tree.oid = tree.root_oid as "isRoot",
  indexes.relkind = 'i' as "storesRows",
  namespace.nspname::text as schema,
  indexes.relname::text as index,
  pg_catalog.format('%I.%I', namespace.nspname, indexes.relname) as identifier,
  table_class.relname::text as table,
  method.amname::text as method,
  (
    select pg_catalog.string_agg(
      case when indexes.indkey[attribute.attnum - 1] = 0 then '(' || attribute.attname || ')' else pg_catalog.quote_ident(attribute.attname) end,
      ', ' order by attribute.attnum
    )
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = indexes.indexrelid
      and attribute.attnum <= indexes.indnkeyatts
      and attribute.attnum > 0
  ) as columns,
  case
    when indexes.relkind = 'I' then 0
    when $2::boolean or locked.oid is not null
      then greatest(indexes.relpages, 0) * pg_catalog.current_setting('block_size')::float8
    else coalesce(
      pg_catalog.pg_relation_size(tree.oid, 'main')
        + pg_catalog.pg_relation_size(tree.oid, 'fsm')
        + pg_catalog.pg_relation_size(tree.oid, 'vm')
        + pg_catalog.pg_relation_size(tree.oid, 'init'),
      0
    )::float8
  end as "sizeBytes",
  indexes.relkind = 'i' and ($2::boolean or locked.oid is not null) as "isEstimated",
  locked.pid as "lockedBy",
  pg_catalog.pg_stat_get_numscans(tree.oid)::float8 as scans,
  pg_catalog.pg_stat_get_lastscan(tree.oid) as "lastScanAt",
  indexes.indisvalid as "isValid",
  exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = indexes.indexrelid
  ) as "isBuilding",
  indexes.indisunique as "isUnique",
  indexes.indisprimary as "isPrimary",
  indexes.indisexclusion as "isExclusion",
  indexes.indisreplident as "isReplicaIdentity",
  indexes.indisclustered as "isClustered",
  indexes.indexprs is not null as "isExpression",
  indexes.indpred is not null as "isPartial",
  exists (
    select
    from pg_catalog.pg_constraint as referring
    where referring.contype = 'f'
      and referring.conindid = indexes.indexrelid
  ) as "isReferenced",
  tree.oid = tree.root_oid and table_class.relispartition as "isStray",
  array(
    select conname::text
    from pg_catalog.pg_constraint as key
    where key.conrelid = indexes.indrelid
      and key.contype = 'f'
      and indexes.indexprs is null
      and indexes.key_columns[1:pg_catalog.cardinality(key.conkey)] @> key.conkey
      and indexes.key_columns[1:pg_catalog.cardinality(key.conkey)] <@ key.conkey
    order by 1
  ) as "foreignKeys",
  (
    select pg_catalog.quote_ident(other.relname)
    from indexes as other
    where tree.oid = tree.root_oid
      and other.indrelid = indexes.indrelid
      and other.indexrelid <> indexes.indexrelid
      and other.indisvalid
      and other.relam = indexes.relam
      and method.amname = 'btree'
      and not indexes.indisunique
      and not indexes.indisexclusion
      and not indexes.indisclustered
      and other.indexprs is not distinct from indexes.indexprs
      and other.indpred is not distinct from indexes.indpred
      and indexes.indnatts = indexes.indnkeyatts
      and other.indnkeyatts >= indexes.indnkeyatts
      and other.key_columns[1:indexes.indnkeyatts] = indexes.key_columns
      and (other.indclass::oid[])[0:indexes.indnkeyatts - 1] = (indexes.indclass::oid[])[0:indexes.indnkeyatts - 1]
      and (other.indcollation::oid[])[0:indexes.indnkeyatts - 1] = (indexes.indcollation::oid[])[0:indexes.indnkeyatts - 1]
      and (other.indoption::int2[])[0:indexes.indnkeyatts - 1] = (indexes.indoption::int2[])[0:indexes.indnkeyatts - 1]
      -- Of two alike, the one made first stays.
      and (other.indnkeyatts > indexes.indnkeyatts or other.indisunique or other.indexrelid < indexes.indexrelid)
    order by other.indisunique desc, other.indnkeyatts, other.indexrelid
    limit 1
  ) as "coveredBy"
from tree
join indexes on indexes.indexrelid = tree.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = indexes.relnamespace
join pg_catalog.pg_class as table_class on table_class.oid = indexes.indrelid
join pg_catalog.pg_am as method on method.oid = indexes.relam
left join locked on locked.oid = tree.oid
order by tree.root_oid, indexes.relname
