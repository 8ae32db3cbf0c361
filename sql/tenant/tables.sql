-- Which tables has a schema, partitions left out, and what of them is in the way of Citus?
-- Parameters: $1 schema (text)
-- Columns:    table_name (text), is_ours (boolean: the role owns it), policies (text[]: those with a subquery)
-- Needs:      nothing
select
  class.relname::text as table_name,
  pg_catalog.pg_has_role(class.relowner, 'usage') as is_ours,
  array(
    select policy.polname::text
    from pg_catalog.pg_policy as policy
    where policy.polrelid = class.oid
      and (policy.polqual::text like '%{SUBLINK %' or policy.polwithcheck::text like '%{SUBLINK %')
    order by policy.polname
  ) as policies
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('r', 'p', 'f')
  and not class.relispartition
order by class.relname
