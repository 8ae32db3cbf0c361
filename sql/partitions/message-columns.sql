-- Which columns of messages can be written?
-- Parameters: none
-- Columns:    column (text, quoted)
-- Needs:      nothing
select pg_catalog.quote_ident(attname) as column
from pg_catalog.pg_attribute
where attrelid = 'messages'::regclass
  and attnum > 0
  and not attisdropped
  and attgenerated = ''
order by attnum
