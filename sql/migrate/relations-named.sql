-- Which relations may texts with these words name? A superset: by its last part, and every name that is no plain word.
-- Parameters: $1 words in lower case (text[])
-- Columns:    name
-- Needs:      nothing
select distinct class.relname::text as name
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where (
    pg_catalog.lower(class.relname::text collate "C") = any ($1::text[])
    or class.relname::text operator(pg_catalog.~) '[^A-Za-z0-9_$]'
  )
  and namespace.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
