-- Which tables of a schema need a vacuum or an analyze, how old are their transaction ids, and is a vacuum at work?
-- Parameters: $1 schema (text)
-- Columns:    root_oid, oid, toast_oid (null: none), table_schema, table_name, identifier, is_root, is_partitioned; live_rows, dead_rows,
--             changed_rows (since the last analyze), has_counters (false when nothing was counted since a crash, or on a
--             standby), last_vacuum, last_analyze (timestamptz, by hand or by autovacuum); is_vacuum_due, is_analyze_due (by
--             the settings of autovacuum); xid_age, mxid_age (of the table or its TOAST table), all_visible_share;
--             vacuum_pid, vacuum_phase, vacuum_share (a vacuum at work; null: none)
-- Needs:      nothing
-- A partitioned table has no rows and no transaction id of its own: its age would be 2147483647.
with recursive tree as (
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
settings as (
  select
    tree.*,
    coalesce(own.vacuum_threshold, pg_catalog.current_setting('autovacuum_vacuum_threshold')::float8) as vacuum_threshold,
    coalesce(own.vacuum_scale, pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float8) as vacuum_scale,
    coalesce(own.insert_threshold, pg_catalog.current_setting('autovacuum_vacuum_insert_threshold')::float8) as insert_threshold,
    coalesce(own.insert_scale, pg_catalog.current_setting('autovacuum_vacuum_insert_scale_factor')::float8) as insert_scale,
    coalesce(own.analyze_threshold, pg_catalog.current_setting('autovacuum_analyze_threshold')::float8) as analyze_threshold,
    coalesce(own.analyze_scale, pg_catalog.current_setting('autovacuum_analyze_scale_factor')::float8) as analyze_scale
  from tree
  join pg_catalog.pg_class as class on class.oid = tree.oid
  cross join lateral (
    select
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_threshold') as vacuum_threshold,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_scale_factor') as vacuum_scale,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_insert_threshold') as insert_threshold,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_insert_scale_factor') as insert_scale,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_analyze_threshold') as analyze_threshold,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_analyze_scale_factor') as analyze_scale
    from pg_catalog.pg_options_to_table(class.reloptions)
    where option_value ~ '^-?[0-9.]+$'
  ) as own
)
select
  tree.root_oid::bigint,
  tree.oid::bigint,
  nullif(class.reltoastrelid, 0)::bigint as toast_oid,
  namespace.nspname::text as table_schema,
  class.relname::text as table_name,
  pg_catalog.quote_ident(class.relname) as identifier,
  tree.oid = tree.root_oid as is_root,
  class.relkind = 'p' as is_partitioned,
  pg_catalog.pg_stat_get_live_tuples(tree.oid) as live_rows,
  pg_catalog.pg_stat_get_dead_tuples(tree.oid) as dead_rows,
  pg_catalog.pg_stat_get_mod_since_analyze(tree.oid) as changed_rows,
  class.reltuples <= 0
    or pg_catalog.pg_stat_get_live_tuples(tree.oid) + pg_catalog.pg_stat_get_dead_tuples(tree.oid) > 0 as has_counters,
  greatest(
    pg_catalog.pg_stat_get_last_vacuum_time(tree.oid),
    pg_catalog.pg_stat_get_last_autovacuum_time(tree.oid)
  ) as last_vacuum,
  greatest(
    pg_catalog.pg_stat_get_last_analyze_time(tree.oid),
    pg_catalog.pg_stat_get_last_autoanalyze_time(tree.oid)
  ) as last_analyze,
  class.relkind <> 'p' and (
    pg_catalog.pg_stat_get_dead_tuples(tree.oid) > vacuum_threshold + vacuum_scale * greatest(class.reltuples, 0)
    or (
      insert_threshold >= 0
      and pg_catalog.pg_stat_get_ins_since_vacuum(tree.oid) > insert_threshold + insert_scale * greatest(class.reltuples, 0)
    )
  ) as is_vacuum_due,
  class.relkind <> 'p'
    and pg_catalog.pg_stat_get_mod_since_analyze(tree.oid) > analyze_threshold + analyze_scale * greatest(class.reltuples, 0)
    as is_analyze_due,
  case
    when class.relkind <> 'p' then greatest(pg_catalog.age(class.relfrozenxid), pg_catalog.age(toast.relfrozenxid))
  end as xid_age,
  case
    when class.relkind <> 'p' then greatest(pg_catalog.mxid_age(class.relminmxid), pg_catalog.mxid_age(toast.relminmxid))
  end as mxid_age,
  case when class.relpages > 0 then least(class.relallvisible::float8 / class.relpages, 1) end as all_visible_share,
  progress.pid as vacuum_pid,
  progress.phase as vacuum_phase,
  case when progress.heap_blks_total > 0 then progress.heap_blks_scanned::float8 / progress.heap_blks_total end as vacuum_share
from settings as tree
join pg_catalog.pg_class as class on class.oid = tree.oid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_catalog.pg_class as toast on toast.oid = class.reltoastrelid
left join pg_catalog.pg_stat_progress_vacuum as progress
  on progress.relid = tree.oid
  and progress.datname = pg_catalog.current_database()
order by tree.root_oid, class.relname
