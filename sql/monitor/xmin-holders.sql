-- What keeps vacuum from deleting dead rows and from freezing old ones, on the whole server?
-- Parameters: none
-- Columns:    kind (session, prepared, slot, standby), name (pid, gid, slot or application_name), database_name (null: all of them), is_here (it
--             concerns the tables of this database), is_catalog_only (only system catalogs are held), is_active (a slot in use), is_logical (a slot
--             of logical replication), role_name, application_name, state, xid_age (int), age_ms (since the transaction began;
--             null for slots and standbys)
-- Needs:      pg_read_all_stats: the sessions and standbys of other roles have no xmin without
-- https://www.postgresql.org/docs/16/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
with holders as (
  select
    'session' as kind,
    pid::text as name,
    datname::text as database_name,
    false as is_catalog_only,
    true as is_active,
    false as is_logical,
    usename::text as role_name,
    application_name,
    state,
    greatest(pg_catalog.age(backend_xmin), pg_catalog.age(backend_xid)) as xid_age,
    (extract(epoch from pg_catalog.clock_timestamp() - xact_start) * 1000)::bigint as age_ms
  from pg_catalog.pg_stat_activity
  where backend_type = 'client backend'
    and pid <> pg_catalog.pg_backend_pid()
    and coalesce(backend_xmin, backend_xid) is not null
  union all
  select
    'prepared',
    gid,
    database::text,
    false,
    true,
    false,
    owner::text,
    null,
    null,
    pg_catalog.age(transaction),
    (extract(epoch from pg_catalog.clock_timestamp() - prepared) * 1000)::bigint
  from pg_catalog.pg_prepared_xacts
  union all
  select
    'slot',
    slot_name::text,
    null,
    coalesce(pg_catalog.age(xmin), -1) < pg_catalog.age(catalog_xmin),
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
    false,
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
  coalesce(database_name = pg_catalog.current_database(), true) as is_here
from holders
order by xid_age desc, age_ms desc nulls last, kind, name
