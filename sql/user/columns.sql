-- Which columns do these tables have, and what does a role see of them?
-- Parameters: $1 tables, as SQL (text[]), $2 the role (text)
-- Columns:    table (as given), name, type, isKey (of the primary key), isNullable, isReadable (by the role),
--             isTableReadable
-- Needs:      nothing
select
  given.name as "table",
  attribute.attname::text as name,
  pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) as type,
  exists (
    select
    from pg_catalog.pg_index as key
    where key.indrelid = attribute.attrelid
      and key.indisprimary
      and attribute.attnum = any (key.indkey)
  ) as "isKey",
  not attribute.attnotnull as "isNullable",
  pg_catalog.has_schema_privilege($2, class.relnamespace, 'usage')
    and pg_catalog.has_column_privilege($2, attribute.attrelid, attribute.attnum, 'select') as "isReadable",
  pg_catalog.has_schema_privilege($2, class.relnamespace, 'usage')
    and pg_catalog.has_table_privilege($2, attribute.attrelid, 'select') as "isTableReadable"
from pg_catalog.unnest($1::text[]) with ordinality as given (name, place)
join pg_catalog.pg_class as class on class.oid = given.name::pg_catalog.regclass
join pg_catalog.pg_attribute as attribute
  on attribute.attrelid = class.oid
  and attribute.attnum > 0
  and not attribute.attisdropped
order by given.place, attribute.attnum
