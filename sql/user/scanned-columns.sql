-- Which columns can hold an id, a username or an e-mail address?
-- Parameters: none
-- Columns:    part (a partition or the table itself, as SQL), display (schema.table), column, kind (uuid, uuid array or text)
-- Needs:      nothing
-- The journal of the erasures itself is left out: it forgets the person when the erasure is done.
select
  coalesce(leaf.name, pg_catalog.format('%I.%I', namespace.nspname, class.relname)) as part,
  namespace.nspname || '.' || class.relname as display,
  attname::text as "column",
  case
    when attribute.atttypid = 'pg_catalog.uuid'::pg_catalog.regtype then 'uuid'
    when attribute.atttypid = 'pg_catalog.uuid[]'::pg_catalog.regtype then 'uuid array'
    else 'text'
  end as kind
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
left join lateral (
  select pg_catalog.format('%I.%I', space.nspname, part.relname) as name
  from pg_catalog.pg_partition_tree(class.oid) as tree
  join pg_catalog.pg_class as part on part.oid = tree.relid
  join pg_catalog.pg_namespace as space on space.oid = part.relnamespace
  where tree.isleaf
    and part.relkind in ('r', 'f')
) as leaf on class.relkind = 'p'
where class.relkind in ('r', 'p', 'm')
  and not class.relispartition
  and class.relpersistence <> 't'
  and namespace.nspname !~ '^(pg_|information_schema$)'
  and attribute.attnum > 0
  and not attribute.attisdropped
  and class.relname <> 'erasures'
  and (
    attribute.atttypid in (
      'pg_catalog.uuid'::pg_catalog.regtype,
      'pg_catalog.uuid[]'::pg_catalog.regtype,
      'pg_catalog.json'::pg_catalog.regtype,
      'pg_catalog.jsonb'::pg_catalog.regtype,
      'pg_catalog.xml'::pg_catalog.regtype,
      'pg_catalog.text[]'::pg_catalog.regtype,
      'pg_catalog.varchar[]'::pg_catalog.regtype
    )
    or type.typcategory = 'S'
  )
  and (
    class.relkind <> 'p'
    or leaf.name is not null
  )
order by display, part, attribute.attnum
