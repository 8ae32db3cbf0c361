-- How large are these tables, in the order in which they are given?
-- Parameters: $1 relations, as SQL takes them (text[])
-- Columns:    relation, rows (estimate; -1: never counted), size_bytes (with TOAST, without indexes)
-- Needs:      nothing
select
  wanted.relation,
  class.reltuples::float8 as rows,
  pg_catalog.pg_table_size(class.oid)::float8 as size_bytes
from pg_catalog.unnest($1::text[]) with ordinality as wanted (relation, position)
join pg_catalog.pg_class as class on class.oid = pg_catalog.to_regclass(wanted.relation)
order by wanted.position
