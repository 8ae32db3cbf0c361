-- How many connections are in use, of those that ordinary roles may have?
-- Parameters: none
-- Columns:    used, usable (int)
-- Needs:      nothing; pg_stat_activity would show a role only its own
select
  (select pg_catalog.sum(numbackends)::int from pg_catalog.pg_stat_database) as used,
  pg_catalog.current_setting('max_connections')::int
    - pg_catalog.current_setting('superuser_reserved_connections')::int
    - pg_catalog.current_setting('reserved_connections')::int as usable
