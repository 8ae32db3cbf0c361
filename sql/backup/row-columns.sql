-- The columns of a table that can be written, in their order.
-- Parameters: $1 the table, as text that regclass reads.
-- Columns: name, type (as SQL), is_key (of the primary key), is_nullable, sequence (what gives it its values; null: none).
-- Role: any.
select
  attname::text as name,
  pg_catalog.format_type(atttypid, atttypmod) as type,
  coalesce(attnum = any (indkey), false) as is_key,
  not attnotnull as is_nullable,
  pg_catalog.pg_get_serial_sequence($1, attname) as sequence
from pg_catalog.pg_attribute
left join pg_catalog.pg_index
  on indrelid = attrelid
  and indisprimary
where attrelid = $1::regclass
  and attnum > 0
  and not attisdropped
  and attgenerated = ''
order by attnum
