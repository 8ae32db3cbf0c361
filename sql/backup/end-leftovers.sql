-- Ends what the client programs of a killed run still do in this database.
-- Parameters: $1 their application_name.
-- Columns:    pid, one row a session.
-- Needs:      to be of the same role, which the condition sees to.
select
  pid,
  pg_catalog.pg_terminate_backend(pid) as is_signalled
from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database()
  and application_name = $1
  and usename = current_user
