-- Which collations sort in another way than when the indexes by them were built?
-- Parameters: none
-- Columns:    name (null: the default of the database), schema_name, recorded_version, actual_version (null: not known any more),
--             indexes (text[], quoted, by that collation)
-- Needs:      nothing
-- https://www.postgresql.org/docs/current/sql-altercollation.html#SQL-ALTERCOLLATION-NOTES
with recorded as (
  select
    100::oid as oid, -- the collation "default"
    null::text as name,
    null::text as schema_name,
    datcollversion as recorded_version,
    pg_catalog.pg_database_collation_actual_version(oid) as actual_version
  from pg_catalog.pg_database
  where datname = pg_catalog.current_database()
  union all
  select
    collation_.oid,
    collation_.collname::text,
    namespace.nspname::text,
    collation_.collversion,
    pg_catalog.pg_collation_actual_version(collation_.oid)
  from pg_catalog.pg_collation as collation_
  join pg_catalog.pg_namespace as namespace on namespace.oid = collation_.collnamespace
  where collation_.collversion is not null
    and collation_.collname <> 'default'
)
select
  recorded.name,
  recorded.schema_name,
  recorded.recorded_version,
  recorded.actual_version,
  by_it.indexes
from recorded
cross join lateral (
  select
    array(
      select index.indexrelid::pg_catalog.regclass::text
      from pg_catalog.pg_index as index
      join pg_catalog.pg_class as class on class.oid = index.indexrelid
      join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
      where recorded.oid = any (index.indcollation::oid[])
        and class.relkind = 'i'
        and namespace.nspname not in ('pg_catalog', 'pg_toast')
      order by 1
    ) as indexes
) as by_it
where recorded.recorded_version is not null
  and recorded.recorded_version is distinct from recorded.actual_version
  and (recorded.name is null or pg_catalog.cardinality(by_it.indexes) > 0)
order by recorded.name nulls first
