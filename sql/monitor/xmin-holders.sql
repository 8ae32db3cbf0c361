-- What keeps vacuum from deleting dead rows and from freezing old ones, on the whole server?
-- Parameters: none
-- Columns:    kind (session, prepared, slot, standby), name (pid, gid, slot or application_name), database (null: all of them), isHere (it concerns
--             the tables of this database), isActive (a slot in use), isLogical (a slot of logical replication), role,
--             application, state, xidAge (int), ageMs (since the transaction began; null for slots and standbys)
-- Needs:      pg_read_all_stats: the sessions and standbys of other roles have no xmin without
-- https://www.postgresql.org/docs/16/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
with holders as (
  select
    'session' as kind,
    pid::text as name,
    datname::text as database,
    true as "isActive",
    false as "isLogical",
    usename::text as role,
    application_name as application,
    state,
    greatest(pg_catalog.age(backend_xmin), pg_catalog.age(backend_xid)) as "xidAge",
    (extract(epoch from pg_catalog.clock_timestamp() - xact_start) * 1000)::bigint::float8 as "ageMs"
  from pg_catalog.pg_stat_activity
  where backend_type = 'client backend'
    and pid <> pg_catalog.pg_backend_pid()
    and coalesce(backend_xmin, backend_xid) is not null
  union all
  select
    'prepared',
    gid,
    database::text,
    true,
    false,
    owner::text,
    null,
    null,
    pg_catalog.age(transaction),
    (extract(epoch from pg_catalog.clock_timestamp() - prepared) * 1000)::bigint::float8
  from pg_catalog.pg_prepared_xacts
  union all
  select
    'slot',
    slot_name::text,
    null,
    active,
    slot_type = 'logical',
    null,
    null,
    null,
    greatest(pg_catalog.age(xmin), pg_catalog.age(catalog_xmin)),
    null
  from pg_catalog.pg_replication_slots
  where coalesce(xmin, catalog_xmin) is not null
  union all
  select
    'standby',
    application_name,
    null,
    true,
    false,
    usename::text,
    application_name,
    state,
    pg_catalog.age(backend_xmin),
    null
  from pg_catalog.pg_stat_replication
  where backend_xmin is not null
)
select
  *,
  coalesce(database = pg_catalog.current_database(), true) as "isHere"
from holders
order by "xidAge" desc, "ageMs" desc nulls last, kind, name
