-- How are the conditions of the policies stored?
-- Parameters: $1 schema (text)
-- Columns:    table_name, name, tree (text of a pg_node_tree: the USING condition)
-- Needs:      nothing
select
  class.relname::text as table_name,
  policy.polname::text as name,
  policy.polqual::text as tree
from pg_catalog.pg_policy as policy
join pg_catalog.pg_class as class on class.oid = policy.polrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and policy.polqual is not null
order by 1, 2
