-- What keeps vacuum from taking dead rows away, for longer than it should?
-- Parameters: $1 after how many seconds (float8)
-- Columns:    kind (session, prepared), name (pid, or identifier of a prepared transaction), state, application_name,
--             age_seconds (float8)
-- Needs:      nothing; the name of another role's session with pg_read_all_stats
select
  'session' as kind,
  pid::text as name,
  state,
  application_name,
  extract(epoch from pg_catalog.now() - xact_start)::float8 as age_seconds
from pg_catalog.pg_stat_activity
where datname = pg_catalog.current_database()
  and backend_type = 'client backend'
  and pid <> pg_catalog.pg_backend_pid()
  and coalesce(backend_xmin, backend_xid) is not null
  and xact_start < pg_catalog.now() - pg_catalog.make_interval(secs => $1::float8)
union all
select
  'prepared',
  gid,
  null,
  owner::text,
  extract(epoch from pg_catalog.now() - prepared)::float8
from pg_catalog.pg_prepared_xacts
where database = pg_catalog.current_database()
  and prepared < pg_catalog.now() - pg_catalog.make_interval(secs => $1::float8)
order by
  age_seconds desc
limit 10
