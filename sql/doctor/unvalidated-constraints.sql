-- Which constraints of the schema were never checked against the rows that were there before them?
-- Parameters: $1 schema (text)
-- Columns:    name, owner_name (of the table or domain), is_domain, definition
-- Needs:      nothing
-- What is NOT ENFORCED (PostgreSQL 18) is meant to be so. A key of a partition is found with that of its table.
select
  checked.conname::text as name,
  coalesce(class.relname, domain.typname)::text as owner_name,
  class.oid is null as is_domain,
  pg_catalog.pg_get_constraintdef(checked.oid) as definition
from pg_catalog.pg_constraint as checked
join pg_catalog.pg_namespace as namespace on namespace.oid = checked.connamespace
left join pg_catalog.pg_class as class on class.oid = checked.conrelid
left join pg_catalog.pg_type as domain on domain.oid = checked.contypid
where namespace.nspname = $1
  and not checked.convalidated
  and checked.conparentid = 0
  and pg_catalog.to_jsonb(checked) ->> 'conenforced' is distinct from 'false'
order by owner_name, name
