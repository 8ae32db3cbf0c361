-- How large are these tables, in the order in which they are given?
-- Parameters: $1 relations, as SQL takes them (text[])
-- Columns:    relation, root (the partitioned table or index that it is a part of, else itself), rows (estimate; -1: never counted), size_bytes (with TOAST, without indexes)
-- Needs:      nothing
select
  wanted.relation,
  coalesce(pg_catalog.pg_partition_root(class.oid), class.oid)::regclass::text as root,
  class.reltuples::float8 as rows,
  pg_catalog.pg_table_size(class.oid)::float8 as size_bytes
from pg_catalog.unnest($1::text[]) with ordinality as wanted (relation, position)
join pg_catalog.pg_class as class on class.oid = pg_catalog.to_regclass(wanted.relation)
order by wanted.position
