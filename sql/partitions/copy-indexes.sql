-- How are the indexes of some tables dropped and created again, those of their keys included?
-- Parameters: $1 tables (text[], quoted names)
-- Columns:    create_statement, drop_statement
-- Needs:      nothing
with tables as (
  select name::regclass as oid
  from pg_catalog.unnest($1::text[]) as name
)
select
  case
    when keys.oid is null then pg_catalog.pg_get_indexdef(index.indexrelid)
    else pg_catalog.format(
      'alter table %s add constraint %I %s',
      index.indrelid::regclass, keys.conname, pg_catalog.pg_get_constraintdef(keys.oid)
    )
  end as create_statement,
  case
    when keys.oid is null then pg_catalog.format('drop index %s', index.indexrelid::regclass)
    else pg_catalog.format('alter table %s drop constraint %I', index.indrelid::regclass, keys.conname)
  end as drop_statement
from tables
join pg_catalog.pg_index as index on index.indrelid = tables.oid
left join pg_catalog.pg_constraint as keys
  on keys.conindid = index.indexrelid
  and keys.conrelid = index.indrelid
  and keys.contype in ('p', 'u', 'x')
order by index.indrelid, keys.oid is null, index.indexrelid
