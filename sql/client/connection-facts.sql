-- What is this new connection like? Sets its time zone and the format of its values as well, which spares a round trip.
-- Parameters: none
-- Columns:    pid (integer, of the session that answers: through a pooler another one than the handshake reported),
--             applicationName (text), searchPath (text), takesSessionLocks (boolean: a function of the database takes advisory locks that
--             outlive its transaction), writesAsWanted (boolean: no setting of the role or the database changes how dates,
--             intervals and floating-point numbers are written), runsCitus (boolean: the server has loaded Citus)
-- Needs:      nothing
with before as materialized (
  select
    pg_catalog.current_setting('datestyle') like 'ISO,%'
    and pg_catalog.current_setting('intervalstyle') = 'postgres'
    and pg_catalog.current_setting('extra_float_digits')::integer > 0 as writes_as_wanted
)
select
  pg_catalog.pg_backend_pid() as pid,
  pg_catalog.current_setting('application_name') as "applicationName",
  pg_catalog.current_setting('search_path') as "searchPath",
  before.writes_as_wanted as "writesAsWanted",
  pg_catalog.current_setting('citus.version', true) is not null as "runsCitus",
  exists (
    select
    from pg_catalog.pg_proc
    where oid >= 16384
      and (
        prosrc ~ 'pg_(try_)?advisory_lock'
        -- A parsed body holds the numbers of what it calls: pg_advisory_lock and its kin.
        or prosqlbody::text ~ ':funcid 288[0-36-9] '
      )
  ) as "takesSessionLocks",
  pg_catalog.set_config('timezone', 'UTC', false) as timezone,
  -- The order of day and month in what a service writes stays as it was set.
  pg_catalog.set_config('datestyle', 'ISO', false) as datestyle,
  pg_catalog.set_config('intervalstyle', 'postgres', false) as intervalstyle,
  pg_catalog.set_config('extra_float_digits', '1', false) as extra_float_digits
from before
