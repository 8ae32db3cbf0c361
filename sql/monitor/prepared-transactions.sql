-- Which transactions were prepared and neither committed nor rolled back?
-- Parameters: none
-- Columns:    gid, database_name, owner, age_ms
-- Needs:      nothing
select
  gid,
  database as database_name,
  owner,
  (extract(epoch from pg_catalog.clock_timestamp() - prepared) * 1000)::bigint as age_ms
from pg_catalog.pg_prepared_xacts
order by prepared
