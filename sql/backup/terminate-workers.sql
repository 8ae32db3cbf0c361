-- Ends what extensions keep on a database, such as the maintenance daemon of Citus; PostgreSQL's own processes are left alone.
-- Parameters: $1 name of the database.
-- Columns: is_signalled, one row a process.
-- Role: superuser, where there is one.
select pg_catalog.pg_terminate_backend(pid) as is_signalled
from pg_catalog.pg_stat_activity
where datname = $1
  and backend_type not in (
    'client backend',
    'parallel worker',
    'autovacuum worker',
    'walsender',
    'logical replication worker',
    'logical replication apply worker',
    'logical replication parallel worker',
    'logical replication tablesync worker'
  )
