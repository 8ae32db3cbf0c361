-- Which drained default partitions are kept?
-- Parameters: $1 comment that such a table has (text)
-- Columns:    schema, name
-- Needs:      nothing
select
  namespace.nspname::text as schema,
  class.relname::text as name
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relkind = 'r'
  and not class.relispartition
  and class.relname ~ '_drained_\d{14}$'
  and pg_catalog.obj_description(class.oid, 'pg_class') = $1
  and class.relowner = (select relowner from pg_catalog.pg_class where oid = 'messages'::regclass)
order by 2
