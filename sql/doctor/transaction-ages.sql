-- How near are the databases, and the tables of this one, to the end of transaction ids?
-- Parameters: $1 share of 2^31 from which on it is told (float8)
-- Columns:    kind (database, table), name (of a table: quoted, with its schema), xid_age, multixact_age (int)
-- Needs:      nothing
-- Partitioned tables have no age of their own: https://www.postgresql.org/docs/16/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
with ages as (
  select
    'database' as kind,
    datname::text as name,
    pg_catalog.age(datfrozenxid) as xid_age,
    pg_catalog.mxid_age(datminmxid) as multixact_age
  from pg_catalog.pg_database
  union all
  select
    'table',
    pg_catalog.format('%I.%I', namespace.nspname, class.relname),
    pg_catalog.age(class.relfrozenxid),
    pg_catalog.mxid_age(class.relminmxid)
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.relkind in ('r', 'm', 't')
)
select *
from ages
where greatest(xid_age, multixact_age) >= $1::float8 * 2147483648
order by
  kind,
  greatest(xid_age, multixact_age) desc,
  name
limit 20
