-- Ends every session on a database, or what extensions keep there alone, such as the maintenance daemon of Citus.
-- Parameters: $1 name of the database, $2 whether PostgreSQL's own processes and sessions are left alone.
-- Columns: is_signalled, one row a session.
-- Role: a member of the roles of those sessions, or of pg_signal_backend; for sessions of superusers a superuser.
select pg_catalog.pg_terminate_backend(pid) as is_signalled
from pg_catalog.pg_stat_activity
where datname = $1
  and pid <> pg_catalog.pg_backend_pid()
  and (
    not $2
    or backend_type not in (
      'client backend',
      'parallel worker',
      'autovacuum worker',
      'walsender',
      'logical replication worker',
      'logical replication apply worker',
      'logical replication parallel worker',
      'logical replication tablesync worker'
    )
  )
