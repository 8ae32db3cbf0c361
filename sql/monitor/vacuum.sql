-- Which tables of a schema need a vacuum or an analyze, how old are their transaction ids, and is a vacuum at work?
-- Parameters: $1 schema (text)
-- Columns:    root_oid, oid, toast_oid (null: none), table_schema, table_name, identifier, is_root, is_partitioned; live_rows, dead_rows,
--             changed_rows (since the last analyze), has_counters (false when nothing was counted since a crash, or on a
--             standby), last_vacuum, last_analyze (timestamptz, by hand or by autovacuum); is_vacuum_due, is_analyze_due (by
--             the settings of autovacuum, its own and those of the table), is_freeze_due (the part of is_vacuum_due that is for the age of its ids);
--             is_never_analyzed (neither a vacuum nor an analyze has ever counted its rows); freeze_max_age, multixact_freeze_max_age (from where on
--             autovacuum freezes); is_autovacuum_off (for this table); is_toast_autovacuum_off; has_own_settings (of when autovacuum comes);
--             vacuum_after_rows (bigint; of how many dead rows autovacuum comes);
--             estimated_rows (of the planner; null: never counted); xid_age, mxid_age (of the table or its TOAST table), all_visible_share;
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
    coalesce(own.analyze_scale, pg_catalog.current_setting('autovacuum_analyze_scale_factor')::float8) as analyze_scale,
    -- Since PostgreSQL 18; -1 is no limit.
    nullif(coalesce(own.most_dead, pg_catalog.current_setting('autovacuum_vacuum_max_threshold', true)::float8), -1) as most_dead,
    -- A table can only lower what the server has.
    least(own.freeze_max_age, pg_catalog.current_setting('autovacuum_freeze_max_age')::float8) as freeze_max_age,
    least(own.multixact_freeze_max_age, pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::float8)
      as multixact_freeze_max_age,
    own.vacuum_scale is not null or own.vacuum_threshold is not null or own.insert_scale is not null as has_own_settings
  from tree
  join pg_catalog.pg_class as class on class.oid = tree.oid
  cross join lateral (
    select
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_threshold') as vacuum_threshold,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_scale_factor') as vacuum_scale,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_insert_threshold') as insert_threshold,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_insert_scale_factor') as insert_scale,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_analyze_threshold') as analyze_threshold,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_analyze_scale_factor') as analyze_scale,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_vacuum_max_threshold') as most_dead,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_freeze_max_age') as freeze_max_age,
      pg_catalog.max(option_value::float8) filter (where option_name = 'autovacuum_multixact_freeze_max_age') as multixact_freeze_max_age
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
    pg_catalog.pg_stat_get_dead_tuples(tree.oid)
      > least(most_dead, vacuum_threshold + vacuum_scale * greatest(class.reltuples, 0))
    or pg_catalog.pg_stat_get_dead_tuples(class.reltoastrelid)
      > least(most_dead, vacuum_threshold + vacuum_scale * greatest(toast.reltuples, 0))
    or (
      insert_threshold >= 0
      and pg_catalog.pg_stat_get_ins_since_vacuum(tree.oid) > insert_threshold + insert_scale * greatest(class.reltuples, 0)
    )
    or ids.is_due
  ) as is_vacuum_due,
  class.relkind <> 'p' and ids.is_due as is_freeze_due,
  class.reltuples < 0 as is_never_analyzed,
  freeze_max_age,
  multixact_freeze_max_age,
  coalesce(options.is_off, false) as is_autovacuum_off,
  coalesce(toast_options.is_off, false) as is_toast_autovacuum_off,
  has_own_settings,
  least(most_dead, vacuum_threshold + vacuum_scale * greatest(class.reltuples, 0))::bigint as vacuum_after_rows,
  case when class.reltuples >= 0 then class.reltuples::bigint end as estimated_rows,
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
cross join lateral (
  select
    greatest(pg_catalog.age(class.relfrozenxid), pg_catalog.age(toast.relfrozenxid)) > freeze_max_age
      or greatest(pg_catalog.mxid_age(class.relminmxid), pg_catalog.mxid_age(toast.relminmxid)) > multixact_freeze_max_age
      as is_due
) as ids
left join lateral (
  select not option_value::bool as is_off
  from pg_catalog.pg_options_to_table(class.reloptions)
  where option_name = 'autovacuum_enabled'
) as options on true
left join lateral (
  select not option_value::bool as is_off
  from pg_catalog.pg_options_to_table(toast.reloptions)
  where option_name = 'autovacuum_enabled'
) as toast_options on true
left join pg_catalog.pg_stat_progress_vacuum as progress
  on progress.relid = tree.oid
  and progress.datname = pg_catalog.current_database()
order by tree.root_oid, class.relname
