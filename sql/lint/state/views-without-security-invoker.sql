-- Which views run as their owner, past the policies?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('view %s runs as its owner', class.oid::regclass) as message,
  pg_catalog.format('alter view %s set (security_invoker = true);', class.oid::regclass) as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and class.relkind = 'v'
  and not coalesce(class.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
order by 1
