-- Which indexes does another one of the same table make superfluous?
-- Parameters: $1 schema (text)
-- Columns:    name, table_name, size_bytes (bigint, by the last count of pages, partitions included), covered_by
-- Needs:      nothing
-- Redundant is a b-tree without condition or expression, not unique, whose columns another valid one begins with, in the same
-- order, direction and operator class. Of two that are equal the younger one. A partitioned index counts once.
with candidates as materialized (
  select
    index.indexrelid,
    index.indrelid,
    index.indisunique,
    index.indkey::int2[] as columns,
    index.indclass::oid[] as classes,
    index.indcollation::oid[] as collations,
    index.indoption::int2[] as options,
    index.indnkeyatts as width,
    index.indnatts > index.indnkeyatts as has_include,
    index_class.relname,
    class.relname as table_name,
    index_class.relkind,
    index_class.relpages,
    index.indisreplident or index.indisclustered as is_needed,
    exists (
      select
      from pg_catalog.pg_constraint as constraints
      where constraints.conindid = index.indexrelid
    ) as is_constraint
  from pg_catalog.pg_index as index
  join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
  join pg_catalog.pg_class as class on class.oid = index.indrelid
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  join pg_catalog.pg_am as method on method.oid = index_class.relam
  where namespace.nspname = $1
    and class.relkind in ('r', 'p', 'm')
    and not index_class.relispartition
    and method.amname = 'btree'
    and index.indisvalid
    and index.indpred is null
    and index.indexprs is null
)
select *
from (
  select
    redundant.relname::text as name,
    redundant.table_name::text as table_name,
    case
      when redundant.relkind = 'I' then (
        select coalesce(pg_catalog.sum(leaf.relpages), 0)
        from pg_catalog.pg_inherits as inherits
        join pg_catalog.pg_class as leaf on leaf.oid = inherits.inhrelid
        where inherits.inhparent = redundant.indexrelid
      )
      else redundant.relpages
    end::bigint * pg_catalog.current_setting('block_size')::int as size_bytes,
    (
      select wider.relname::text
      from candidates as wider
      where wider.indrelid = redundant.indrelid
        and wider.indexrelid <> redundant.indexrelid
        and wider.width >= redundant.width
        and wider.columns[0:redundant.width - 1] = redundant.columns[0:redundant.width - 1]
        and wider.classes[0:redundant.width - 1] = redundant.classes[0:redundant.width - 1]
        and wider.collations[0:redundant.width - 1] = redundant.collations[0:redundant.width - 1]
        and wider.options[0:redundant.width - 1] = redundant.options[0:redundant.width - 1]
        and (
          wider.width > redundant.width
          or wider.indisunique
          or wider.is_constraint
          or wider.indexrelid < redundant.indexrelid
        )
      order by
        wider.width,
        wider.indexrelid
      limit 1
    ) as covered_by
  from candidates as redundant
  where not redundant.indisunique
    and not redundant.is_constraint
    and not redundant.is_needed
    and not redundant.has_include
) as judged
where covered_by is not null
order by
  size_bytes desc,
  name
