-- Who is connected to a database.
-- Parameters: $1 name of the database.
-- Columns: pid, role_name, application_name, client_address, state, connected_ms.
-- Role: any; pg_read_all_stats sees the state of others, too.
select
  pid,
  coalesce(usename::text, '?') as role_name,
  coalesce(application_name, '') as application_name,
  pg_catalog.host(client_addr) as client_address,
  coalesce(state, 'active') as state,
  (extract(epoch from pg_catalog.clock_timestamp() - backend_start) * 1000)::bigint as connected_ms
from pg_catalog.pg_stat_activity
where datname = $1
  and pid <> pg_catalog.pg_backend_pid()
  and backend_type = 'client backend'
order by backend_start
