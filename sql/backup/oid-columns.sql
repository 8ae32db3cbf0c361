-- The columns of a table that can have the number of a large object: of type oid, or of a domain over it, such as lo.
-- Parameters: $1 the table, as text that regclass reads.
-- Columns: name.
-- Role: any.
select attname::text as name
from pg_catalog.pg_attribute
join pg_catalog.pg_type on pg_type.oid = atttypid
where attrelid = $1::regclass
  and attnum > 0
  and not attisdropped
  and 'pg_catalog.oid'::regtype in (atttypid, typbasetype)
order by attnum
