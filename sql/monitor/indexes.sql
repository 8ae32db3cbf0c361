-- Which indexes has a schema, how large are they, how often were they used, and which do what another one does?
-- Parameters: $1 schema (text), $2 measure nothing (boolean; true: every size is an estimate)
-- Columns:    root_oid, oid, index_schema, index_name, identifier (qualified, as SQL takes it), table_name, table_identifier,
--             is_root, stores_rows (false for an index that only has parts), is_stray (on one partition alone, its table's
--             siblings have none); method, columns (text), is_valid, is_building, is_unique, is_primary, is_exclusion,
--             is_replica_identity, is_clustered, is_expression, is_partial, is_referenced (a foreign key refers to it),
--             foreign_keys (text[]: those it finds the rows of); size_bytes, is_estimated, locked_by; scans, last_scan
--             (timestamptz), covered_by (text: another valid index of the table that begins with the same columns; null: none)
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
  tree.root_oid::bigint,
  tree.oid::bigint,
  namespace.nspname::text as index_schema,
  indexes.relname::text as index_name,
  pg_catalog.format('%I.%I', namespace.nspname, indexes.relname) as identifier,
  table_class.relname::text as table_name,
  pg_catalog.quote_ident(table_class.relname) as table_identifier,
  tree.oid = tree.root_oid as is_root,
  indexes.relkind = 'i' as stores_rows,
  tree.oid = tree.root_oid and table_class.relispartition as is_stray,
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
  indexes.indisvalid as is_valid,
  exists (
    select
    from pg_catalog.pg_stat_progress_create_index as progress
    where progress.index_relid = indexes.indexrelid
  ) as is_building,
  indexes.indisunique as is_unique,
  indexes.indisprimary as is_primary,
  indexes.indisexclusion as is_exclusion,
  indexes.indisreplident as is_replica_identity,
  indexes.indisclustered as is_clustered,
  indexes.indexprs is not null as is_expression,
  indexes.indpred is not null as is_partial,
  exists (
    select
    from pg_catalog.pg_constraint as referring
    where referring.contype = 'f'
      and referring.conindid = indexes.indexrelid
  ) as is_referenced,
  array(
    select conname::text
    from pg_catalog.pg_constraint as key
    where key.conrelid = indexes.indrelid
      and key.contype = 'f'
      and indexes.indexprs is null
      and indexes.key_columns[1:pg_catalog.cardinality(key.conkey)] @> key.conkey
      and indexes.key_columns[1:pg_catalog.cardinality(key.conkey)] <@ key.conkey
    order by 1
  ) as foreign_keys,
  case
    when indexes.relkind = 'I' then 0
    when $2::boolean or locked.oid is not null
      then greatest(indexes.relpages, 0) * pg_catalog.current_setting('block_size')::bigint
    else coalesce(
      pg_catalog.pg_relation_size(tree.oid, 'main')
        + pg_catalog.pg_relation_size(tree.oid, 'fsm')
        + pg_catalog.pg_relation_size(tree.oid, 'vm')
        + pg_catalog.pg_relation_size(tree.oid, 'init'),
      0
    )
  end as size_bytes,
  indexes.relkind = 'i' and ($2::boolean or locked.oid is not null) as is_estimated,
  locked.pid as locked_by,
  pg_catalog.pg_stat_get_numscans(tree.oid) as scans,
  pg_catalog.pg_stat_get_lastscan(tree.oid) as last_scan,
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
  ) as covered_by
from tree
join indexes on indexes.indexrelid = tree.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = indexes.relnamespace
join pg_catalog.pg_class as table_class on table_class.oid = indexes.indrelid
join pg_catalog.pg_am as method on method.oid = indexes.relam
left join locked on locked.oid = tree.oid
order by tree.root_oid, indexes.relname
