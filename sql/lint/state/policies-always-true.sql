-- Which policies let a role write every row?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
-- Reading for all is a decision of the schema (public settings); writing for all is none.
select
  policy.polname::text as object,
  policy.polname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('policy %I lets a role write every row of %s', policy.polname, class.oid::regclass) as message,
  pg_catalog.format('drop policy %I on %s;', policy.polname, class.oid::regclass) as fix
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1::text
  and policy.polpermissive
  and policy.polcmd <> 'r'
  and 'true' in (
    pg_catalog.pg_get_expr(policy.polqual, policy.polrelid),
    pg_catalog.pg_get_expr(policy.polwithcheck, policy.polrelid)
  )
order by 1
