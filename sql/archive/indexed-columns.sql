-- Which columns of a table have an index, as a list for ANALYZE?
-- Parameters: $1 table (text)
-- Columns:    column_list (text)
-- Needs:      nothing
select pg_catalog.string_agg(distinct pg_catalog.quote_ident(attribute.attname), ', ') as column_list
from pg_catalog.pg_index as index
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = index.indrelid
  and attribute.attnum = any (index.indkey)
where index.indrelid = $1::text::regclass
