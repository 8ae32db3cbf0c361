-- Writes the sizes of the tables of one record.
-- Parameters: $1 slot (timestamptz), $2 the tables (json: an array of objects with the columns' names)
-- Columns:    none
-- Needs:      INSERT on size_record_tables, found through search_path
insert into size_record_tables (slot, table_name, total_bytes, heap_bytes, toast_bytes, index_bytes, row_estimate)
select $1, table_name, total_bytes, heap_bytes, toast_bytes, index_bytes, row_estimate
from pg_catalog.json_to_recordset($2) as sizes (
  table_name   text,
  total_bytes  bigint,
  heap_bytes   bigint,
  toast_bytes  bigint,
  index_bytes  bigint,
  row_estimate bigint
)
