-- How large were the database and its tables, day by day?
-- Parameters: $1 oldest slot (timestamptz)
-- Columns:    measuredAt, databaseBytes (float8), tableBytes (json: table name to total bytes), in the order of time; of the
--             records of one day in UTC the last one
-- Needs:      SELECT on size_records and size_record_tables, found through search_path
with days as (
  select distinct on (pg_catalog.date_trunc('day', slot, 'UTC'))
    slot,
    measured_at,
    database_bytes
  from size_records
  where slot >= $1
  order by pg_catalog.date_trunc('day', slot, 'UTC'), slot desc
)
select
  days.measured_at as "measuredAt",
  days.database_bytes::float8 as "databaseBytes",
  (
    select coalesce(pg_catalog.json_object_agg(sizes.table_name, sizes.total_bytes), '{}')
    from size_record_tables as sizes
    where sizes.slot = days.slot
  ) as "tableBytes"
from days
order by days.slot
