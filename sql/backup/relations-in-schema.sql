-- Is a schema there, and how many relations does it have?
-- Parameters: $1 schema (text)
-- Columns:    relations (integer; no row: the schema is not there)
-- Role:       any
select pg_catalog.count(class.oid)::integer as relations
from pg_catalog.pg_namespace as namespace
left join pg_catalog.pg_class as class on class.relnamespace = namespace.oid
where namespace.nspname = $1
group by namespace.oid
