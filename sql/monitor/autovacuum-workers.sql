-- Are all workers of autovacuum at work?
-- Parameters: none
-- Columns:    working, most (int), cost_limit (int, in force), cost_delay_ms (float8, in force)
-- Needs:      pg_read_all_stats: the kind of another role's process is hidden without
-- https://www.postgresql.org/docs/16/runtime-config-autovacuum.html
select
  (
    select pg_catalog.count(*)::int
    from pg_catalog.pg_stat_activity
    where backend_type = 'autovacuum worker'
  ) as working,
  pg_catalog.current_setting('autovacuum_max_workers')::int as most,
  coalesce(
    nullif(pg_catalog.current_setting('autovacuum_vacuum_cost_limit')::int, -1),
    pg_catalog.current_setting('vacuum_cost_limit')::int
  ) as cost_limit,
  (
    select coalesce(nullif(own.setting::float8, -1), every.setting::float8)
    from pg_catalog.pg_settings as own
    cross join pg_catalog.pg_settings as every
    where own.name = 'autovacuum_vacuum_cost_delay'
      and every.name = 'vacuum_cost_delay'
  ) as cost_delay_ms
