-- Which foreign keys have no index that finds their rows?
-- Parameters: $1 schema (text)
-- Columns:    foreignKey, tableName, table (qualified, as SQL takes it), referencedTable, columns (text, as SQL takes them),
--             isPartitioned
-- Needs:      nothing
-- One row a key: those of partitions have a parent, or stand on each archived month and are reported of its table. An index
-- serves a key whose columns are its first ones, in any order, and a partial one does when it leaves out nothing but nulls
-- of the key, which refer to nothing. Its condition is read as it is stored: printing it would wait for a session that has the
-- table locked.
select
  key.conname::text as "foreignKey",
  class.relname::text as "tableName",
  pg_catalog.format('%I.%I', namespace.nspname, class.relname) as "table",
  pg_catalog.quote_ident(referenced.relname) as "referencedTable",
  (
    select pg_catalog.string_agg(pg_catalog.quote_ident(attribute.attname), ', ' order by place.position)
    from pg_catalog.unnest(key.conkey) with ordinality as place (attnum, position)
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = key.conrelid and attribute.attnum = place.attnum
  ) as columns,
  class.relkind = 'p' as "isPartitioned"
from pg_catalog.pg_constraint as key
join pg_catalog.pg_class as class on class.oid = key.conrelid
join pg_catalog.pg_class as referenced on referenced.oid = key.confrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where key.contype = 'f'
  and key.conparentid = 0
  and namespace.nspname = $1
  and not class.relispartition
  and not exists (
    select
    from pg_catalog.pg_index as index
    where index.indrelid = key.conrelid
      and index.indisvalid
      and index.indexprs is null
      and (
        index.indpred is null
        or pg_catalog.substring(index.indpred::text, '^\{NULLTEST :arg \{VAR :varno 1 :varattno ([0-9]+) .*:nulltesttype 1')::int2
          = any (key.conkey)
      )
      and ((index.indkey::int2[])[0:pg_catalog.cardinality(key.conkey) - 1]) @> key.conkey
      and ((index.indkey::int2[])[0:pg_catalog.cardinality(key.conkey) - 1]) <@ key.conkey
  )
order by "table", "foreignKey"
