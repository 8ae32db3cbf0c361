-- Which relations outside of the system schemas are there, and how large are they?
-- Parameters: none
-- Columns:    oid, relation (as SQL takes it here), kind (pg_class.relkind), root (the partitioned table that it is a part of, else itself),
--             file_node, rows (estimate; -1: never counted)
-- Needs:      nothing
select
  class.oid::bigint::float8 as oid,
  class.oid::regclass::text as relation,
  class.relkind::text as kind,
  coalesce(pg_catalog.pg_partition_root(class.oid), class.oid)::regclass::text as root,
  class.relfilenode::bigint::float8 as file_node,
  class.reltuples::float8 as rows
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and class.relkind in ('r', 'p', 'm', 'i', 'I', 'v', 'S', 'f')
order by class.oid
