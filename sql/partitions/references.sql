-- Which foreign keys does messages have?
-- Parameters: none
-- Columns:    name (text, quoted), definition (text, without NOT VALID)
-- Needs:      nothing
select
  pg_catalog.quote_ident(conname) as name,
  pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(oid), ' NOT VALID$', '') as definition
from pg_catalog.pg_constraint
where conrelid = 'messages'::regclass
  and contype = 'f'
  and conparentid = 0
order by conname
