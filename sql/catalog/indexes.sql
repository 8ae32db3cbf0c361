-- Which indexes do the tables and materialized views of a schema have?
-- Parameters: $1 schema (text)
-- Columns:    table, name, definition, primary, unique, valid, clustered, parent (the index of the partitioned table it
--             is a part of), constraint (the one it serves), comment
-- Needs:      nothing
select
  class.relname::text as "table",
  index_class.relname::text as name,
  pg_catalog.pg_get_indexdef(index.indexrelid, 0, true) as definition,
  index.indisprimary as "primary",
  index.indisunique as "unique",
  index.indisvalid as valid,
  index.indisclustered as clustered,
  parent.relname::text as parent,
  served.conname::text as "constraint",
  pg_catalog.obj_description(index.indexrelid, 'pg_class') as comment
from pg_catalog.pg_index as index
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
join pg_catalog.pg_class as class on class.oid = index.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
left join pg_catalog.pg_inherits as inherits on inherits.inhrelid = index.indexrelid
left join pg_catalog.pg_class as parent on parent.oid = inherits.inhparent
left join pg_catalog.pg_constraint as served
  on served.conindid = index.indexrelid
  and served.conrelid = index.indrelid
  and served.contype in ('p', 'u', 'x')
where namespace.nspname = $1
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.objsubid = 0
      and member.deptype = 'e'
  )
order by class.relname, index_class.relname
