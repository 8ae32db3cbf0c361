-- Which relations outside of the system schemas are there?
-- Parameters: none
-- Columns:    relation_oids (oid[])
-- Needs:      nothing
select coalesce(pg_catalog.array_agg(class.oid), '{}') as relation_oids
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
