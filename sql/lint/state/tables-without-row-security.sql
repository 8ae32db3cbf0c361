-- Which tables have no row-level security?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  class.oid::regclass::text as object,
  class.relname::text as name,
  class.relname::text as table_name,
  case
    when exists (select from pg_catalog.pg_policy as policy where policy.polrelid = class.oid)
      then pg_catalog.format('table %s has policies, and they are not enforced: row-level security is off', class.oid::regclass)
    else pg_catalog.format('table %s has no row-level security', class.oid::regclass)
  end as message,
  pg_catalog.format('alter table %s enable row level security;', class.oid::regclass) as fix
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and class.relkind in ('r', 'p')
  and not class.relrowsecurity
order by 1
