-- How large is this database on disk, all schemas together?
-- Parameters: none
-- Columns:    database_bytes (bigint)
-- Needs:      CONNECT on the database, which the session has; takes no lock on any table
select pg_catalog.pg_database_size(pg_catalog.current_database()) as database_bytes
