-- How near are the databases, and the tables of this one, to the end of transaction ids?
-- Parameters: none
-- Columns:    kind (database, table), name (of a table: quoted, with its schema), is_here (this database), allows_connections, xid_age,
--             multixact_age (int); every database, and the twenty oldest tables of this one
-- Needs:      nothing
-- Partitioned tables have no age of their own: https://www.postgresql.org/docs/16/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
-- A TOAST table is reported as the table that it belongs to: that is the one to vacuum.
(
  select
    'database' as kind,
    datname::text as name,
    datname = pg_catalog.current_database() as is_here,
    datallowconn as allows_connections,
    pg_catalog.age(datfrozenxid) as xid_age,
    pg_catalog.mxid_age(datminmxid) as multixact_age
  from pg_catalog.pg_database
  where datfrozenxid <> '0'
)
union all
(
  select
    'table',
    pg_catalog.format('%I.%I', namespace.nspname, class.relname),
    true,
    true,
    greatest(pg_catalog.age(class.relfrozenxid), pg_catalog.age(toast.relfrozenxid)) as xid_age,
    greatest(pg_catalog.mxid_age(class.relminmxid), pg_catalog.mxid_age(toast.relminmxid)) as multixact_age
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  left join pg_catalog.pg_class as toast on toast.oid = class.reltoastrelid
  where class.relkind in ('r', 'm')
    and class.relpersistence <> 't'
  order by
    greatest(
      pg_catalog.age(class.relfrozenxid),
      pg_catalog.age(toast.relfrozenxid),
      pg_catalog.mxid_age(class.relminmxid),
      pg_catalog.mxid_age(toast.relminmxid)
    ) / 21474836 desc,
    -- Of tables of about one age (a percent of all ids), those of applications come first.
    namespace.nspname in ('pg_catalog', 'information_schema'),
    pg_catalog.age(class.relfrozenxid) desc,
    class.relname
  limit 20
)
