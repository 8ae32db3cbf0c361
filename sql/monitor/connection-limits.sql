-- How many sessions may ordinary roles open?
-- Parameters: none
-- Columns:    usable (max_connections without the reserved ones)
-- Needs:      nothing
select
  pg_catalog.current_setting('max_connections')::int
    - pg_catalog.current_setting('superuser_reserved_connections')::int
    - coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), '')::int, 0) as usable
