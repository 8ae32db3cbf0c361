-- What is this new connection like? Sets its time zone as well, which spares a round trip.
-- Parameters: none
-- Columns:    has_vector (boolean: the type is there), pid (integer, of the session that answers: through a pooler another
--             one than the handshake reported), application_name (text), takes_session_locks (boolean: a function of the
--             database takes advisory locks that outlive its transaction)
-- Needs:      nothing
select
  pg_catalog.pg_backend_pid() as pid,
  pg_catalog.current_setting('application_name') as application_name,
  exists (
    select
    from pg_catalog.pg_type
    where typname = 'vector'
  ) as has_vector,
  exists (
    select
    from pg_catalog.pg_proc
    where oid >= 16384
      and (
        prosrc ~ 'pg_(try_)?advisory_lock'
        -- A parsed body holds the numbers of what it calls: pg_advisory_lock and its kin.
        or prosqlbody::text ~ ':funcid 288[0-36-9] '
      )
  ) as takes_session_locks,
  pg_catalog.set_config('timezone', 'UTC', false) as timezone
