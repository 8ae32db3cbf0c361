-- Which transactions were prepared and neither committed nor rolled back?
-- Parameters: none
-- Columns:    gid, database_name, is_here (this database, where alone it can be ended), owner, age_ms
-- Needs:      nothing
select
  gid,
  database as database_name,
  database = pg_catalog.current_database() as is_here,
  owner,
  (extract(epoch from pg_catalog.clock_timestamp() - prepared) * 1000)::bigint as age_ms
from pg_catalog.pg_prepared_xacts
order by prepared
