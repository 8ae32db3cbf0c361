-- Ends every session on a database.
-- Parameters: $1 name of the database.
-- Columns: is_signalled, one row a session.
-- Role: a member of the roles of those sessions, or of pg_signal_backend; for sessions of superusers a superuser.
select pg_catalog.pg_terminate_backend(pid) as is_signalled
from pg_catalog.pg_stat_activity
where datname = $1
  and pid <> pg_catalog.pg_backend_pid()
