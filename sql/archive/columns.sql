-- Which columns do messages have?
-- Parameters: none
-- Columns:    name, type (as format_type prints it); in their order
-- Needs:      nothing
select
  attname as name,
  pg_catalog.format_type(atttypid, atttypmod) as type
from pg_catalog.pg_attribute
where attrelid = 'messages_archive'::regclass
  and attnum > 0
  and not attisdropped
order by attnum
