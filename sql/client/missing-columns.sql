-- Which tables, views and columns does a service miss?
-- Parameters: $1 what it knows (json: an array of column names for each table)
-- Columns:    table_name (text), column_name (text, null when there is no such table on the search_path)
-- Needs:      nothing
with wanted as (
  select
    entry.key as table_name,
    pg_catalog.to_regclass(pg_catalog.quote_ident(entry.key)) as relation,
    entry.value as columns
  from pg_catalog.json_each($1::json) as entry
)
select
  wanted.table_name,
  null::text as column_name
from wanted
where wanted.relation is null
union all
select
  wanted.table_name,
  known.name as column_name
from wanted
cross join pg_catalog.json_array_elements_text(wanted.columns) as known (name)
where wanted.relation is not null
  and not exists (
    select
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = wanted.relation
      and attribute.attname = known.name
      and attribute.attnum > 0
      and not attribute.attisdropped
  )
order by table_name, column_name
