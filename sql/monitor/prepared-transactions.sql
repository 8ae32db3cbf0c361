-- Which transactions were prepared and neither committed nor rolled back?
-- Parameters: none
-- Columns:    name, database, owner, ageMs, isHere (this database, where alone it can be ended)
-- Needs:      nothing
select
  gid as name,
  database,
  owner,
  (extract(epoch from pg_catalog.clock_timestamp() - prepared) * 1000)::bigint::float8 as "ageMs",
  database = pg_catalog.current_database() as "isHere"
from pg_catalog.pg_prepared_xacts
order by prepared
