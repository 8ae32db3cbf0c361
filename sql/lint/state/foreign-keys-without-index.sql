-- Which foreign keys have no index that finds their rows?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
-- An index serves a key whose columns are its first ones, in any order; a partial one does when its condition is IS NOT NULL.
-- PostgreSQL cuts names after 63 bytes: a longer one ends with a hash, so that two that begin alike stay two.
select
  key.conname::text as object,
  key.conname::text as name,
  class.relname::text as table_name,
  pg_catalog.format('foreign key %I of %s has no index on %s', key.conname, class.oid::regclass, columns.list) as message,
  pg_catalog.format(
    'create index %I on %s (%s);',
    made.name,
    class.oid::regclass,
    columns.list
  ) as fix
from pg_catalog.pg_constraint as key
join pg_catalog.pg_class as class on class.oid = key.conrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select
    pg_catalog.string_agg(pg_catalog.quote_ident(attribute.attname), ', ' order by place.position) as list,
    pg_catalog.string_agg(attribute.attname, '_' order by place.position) as plain
  from pg_catalog.unnest(key.conkey) with ordinality as place (attnum, position)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = key.conrelid
    and attribute.attnum = place.attnum
) as columns
cross join lateral (
  select
    case
      when pg_catalog.octet_length(wanted.name) <= 63 then wanted.name
      else (
        select pg_catalog.left(wanted.name, kept.length)
        from pg_catalog.generate_series(54, 1, -1) as kept (length)
        where pg_catalog.octet_length(pg_catalog.left(wanted.name, kept.length)) <= 54
        order by kept.length desc
        limit 1
      ) || '_' || pg_catalog.left(pg_catalog.md5(wanted.name), 8)
    end as name
  from (select 'idx_' || class.relname || '_' || columns.plain as name) as wanted
) as made
where key.contype = 'f'
  and key.conparentid = 0
  and namespace.nspname = $1::text
  and not class.relispartition
  and not exists (
    select
    from pg_catalog.pg_index as index
    where index.indrelid = key.conrelid
      and index.indexprs is null
      and (index.indpred is null or pg_catalog.pg_get_expr(index.indpred, index.indrelid) ~ '^\(\S+ IS NOT NULL\)$')
      and ((index.indkey::int2[])[0:pg_catalog.cardinality(key.conkey) - 1]) @> key.conkey
      and ((index.indkey::int2[])[0:pg_catalog.cardinality(key.conkey) - 1]) <@ key.conkey
  )
order by 1
