-- Which tables do these names mean, an index standing for the table that it is on?
-- Parameters: $1 schemas (text[]; null: the search_path decides), $2 names (text[]) at the same positions
-- Columns:    position (from 1), relation (as SQL takes it), kind (pg_class.relkind), root (the partitioned table that it is a part of, else itself)
-- Needs:      nothing
select
  wanted.position::integer as position,
  class.oid::regclass::text as relation,
  class.relkind::text as kind,
  coalesce(pg_catalog.pg_partition_root(class.oid), class.oid)::regclass::text as root
from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) with ordinality as wanted (schema_name, name, position)
cross join lateral (
  select pg_catalog.to_regclass(
    case
      when wanted.schema_name is null then pg_catalog.quote_ident(wanted.name)
      else pg_catalog.format('%I.%I', wanted.schema_name, wanted.name)
    end
  ) as oid
) as named
left join pg_catalog.pg_index as index on index.indexrelid = named.oid
join pg_catalog.pg_class as class on class.oid = coalesce(index.indrelid, named.oid)
order by 1
