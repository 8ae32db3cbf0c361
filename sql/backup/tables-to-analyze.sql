-- Which tables does ANALYZE of the whole database go through?
-- Parameters: none
-- Columns:    name (quoted, with schema)
-- Needs:      nothing
select pg_catalog.format('%I.%I', namespace.nspname, relation.relname) as name
from pg_catalog.pg_class as relation
join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
where relation.relkind in ('r', 'm', 'p')
  and namespace.nspname !~ '^pg_toast'
  and namespace.nspname <> 'pg_catalog'
order by namespace.nspname, relation.relname
