-- Which text columns of tables that belong to users have no masking class in their comment?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
-- A table belongs to users when a foreign key leads to users, over however many tables.
with recursive reached (oid) as (
  select pg_catalog.to_regclass(pg_catalog.format('%I.users', $1::text))::oid
  union
  select key.conrelid
  from reached
  join pg_catalog.pg_constraint as key on key.confrelid = reached.oid
  where key.contype = 'f'
    and key.conparentid = 0
)
select
  pg_catalog.format('%s.%I', class.oid::regclass, attribute.attname) as object,
  attribute.attname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('column %I of %s holds text of users and has no masking class', attribute.attname, class.oid::regclass) as message,
  pg_catalog.format(
    'comment on column %s.%I is %L;',
    class.oid::regclass,
    attribute.attname,
    pg_catalog.concat_ws(' ', pg_catalog.col_description(class.oid, attribute.attnum), 'pii: text')
  ) as fix
from reached
join pg_catalog.pg_class as class on class.oid = reached.oid
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
where not class.relispartition
  and attribute.attnum > 0
  and not attribute.attisdropped
  and (type.typcategory = 'S' or type.typname in ('json', 'jsonb'))
  and coalesce(pg_catalog.col_description(class.oid, attribute.attnum), '') !~ '\mpii:\s*(none|name|email|phone|address|secret|text)\M'
order by 1
