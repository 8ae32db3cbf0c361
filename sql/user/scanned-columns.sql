-- Which columns can hold an id, a username or an e-mail address?
-- Parameters: none
-- Columns:    part (a partition or the table itself, as SQL), display (schema.table), column, kind (uuid, uuid array or text)
-- Needs:      nothing
-- The journal of the erasures itself is left out: it forgets the person when the erasure is done. A type counts as what it is
-- below domains and arrays.
with recursive below (origin, oid, is_array) as (
  select type.oid, type.oid, false
  from pg_catalog.pg_type as type
  union all
  select
    below.origin,
    case type.typtype when 'd' then type.typbasetype else type.typelem end,
    below.is_array or type.typcategory = 'A'
  from below
  join pg_catalog.pg_type as type on type.oid = below.oid
  where type.typtype = 'd' or (type.typcategory = 'A' and type.typelem <> 0)
),
base as materialized (
  select below.origin, below.is_array, type.oid, type.typname, type.typcategory
  from below
  join pg_catalog.pg_type as type on type.oid = below.oid
  where not (type.typtype = 'd' or (type.typcategory = 'A' and type.typelem <> 0))
)
select
  coalesce(leaf.name, pg_catalog.format('%I.%I', namespace.nspname, class.relname)) as part,
  namespace.nspname || '.' || class.relname as display,
  attname::text as "column",
  case
    when base.oid <> 'pg_catalog.uuid'::pg_catalog.regtype then 'text'
    when base.is_array then 'uuid array'
    else 'uuid'
  end as kind
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
join base on base.origin = attribute.atttypid
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
  and class.oid is distinct from pg_catalog.to_regclass('erasures')
  and (
    -- Composite types, too.
    base.typcategory in ('S', 'C')
    or base.typname in ('uuid', 'json', 'jsonb', 'xml', 'hstore', 'tsvector')
  )
  and (
    class.relkind <> 'p'
    or leaf.name is not null
  )
order by display, part, attribute.attnum
