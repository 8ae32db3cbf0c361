-- Which columns do messages have, and which of them may an import leave out?
-- Parameters: none
-- Columns:    name, type (as format_type prints it), may_lack (boolean); in their order
-- Needs:      nothing
select
  attribute.attname as name,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) as type,
  not attribute.attnotnull or attribute.atthasdef as may_lack
from pg_catalog.pg_attribute as attribute
where attribute.attrelid = 'messages_archive'::regclass
  and attribute.attnum > 0
  and not attribute.attisdropped
  and attribute.attgenerated = ''
order by attribute.attnum
