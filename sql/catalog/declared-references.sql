-- Which columns declare in their comment that they refer to a row, without a foreign key?
-- Parameters: none
-- Columns:    schema, table, column, isArray, isNullable, comment
-- Needs:      nothing
select
  namespace.nspname::text as schema,
  class.relname::text as "table",
  attribute.attname::text as column,
  attribute.attndims > 0 or type.typcategory = 'A' as "isArray",
  not attribute.attnotnull as "isNullable",
  pg_catalog.col_description(class.oid, attribute.attnum) as comment
from pg_catalog.pg_description as description
join pg_catalog.pg_class as class on class.oid = description.objoid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = class.oid
  and attribute.attnum = description.objsubid
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
where description.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and description.objsubid > 0
  and class.relkind in ('r', 'p')
  and not class.relispartition
  and not attribute.attisdropped
  and namespace.nspname !~ '^pg_'
  and description.description ~ 'refers: '
order by 1, 2, 3
