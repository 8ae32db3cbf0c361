-- Ends the other sessions in this database, and with them their transactions and settings.
-- Parameters: none
-- Columns:    ended (bigint, sessions that were there)
-- Needs:      to be a member of the sessions' roles
with others as materialized (
  -- Found before any is ended: as a condition beside the others, the planner might call the function for every session
  -- of the server.
  select pid
  from pg_catalog.pg_stat_activity
  where datname = pg_catalog.current_database()
    and backend_type = 'client backend'
    and pid <> pg_catalog.pg_backend_pid()
)
-- Waits until it is gone, two seconds at most.
select count(pg_catalog.pg_terminate_backend(pid, 2000)) as ended
from others
