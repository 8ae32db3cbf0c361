-- Which foreign keys do the partitioned tables of a schema have, and which partitions take them over?
-- Parameters: $1 schema (text)
-- Columns:    table_name, constraint_name, definition (all as SQL takes them), partitions (text[], as SQL takes them)
-- Needs:      nothing
select
  pg_catalog.format('%I.%I', namespace.nspname, class.relname) as table_name,
  pg_catalog.quote_ident(reference.conname) as constraint_name,
  pg_catalog.pg_get_constraintdef(reference.oid) as definition,
  array(
    select pg_catalog.format('%I.%I', namespace.nspname, part.relname)
    from pg_catalog.pg_inherits as inherits
    join pg_catalog.pg_class as part on part.oid = inherits.inhrelid
    where inherits.inhparent = class.oid
      and part.relkind = 'r'
    order by part.relname
  ) as partitions
from pg_catalog.pg_constraint as reference
join pg_catalog.pg_class as class on class.oid = reference.conrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind = 'p'
  and reference.contype = 'f'
  and reference.conparentid = 0
order by class.relname, reference.conname
