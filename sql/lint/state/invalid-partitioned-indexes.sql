-- Which indexes of partitioned tables are INVALID, since partitions have no part of them?
-- Parameters: $1 schema (text)
-- Columns:    object, name (unquoted, to find the statement by), table_name, message, fix (SQL; null: a person decides)
-- Needs:      nothing
select
  index_class.relname::text as object,
  index_class.relname::text as name,
  class.relname::text as table_name,
  pg_catalog.format(
    'index %I of %s stays INVALID: %s of its partitions %s no index attached to it',
    index_class.relname,
    class.oid::regclass,
    missing.count,
    case missing.count when 1 then 'has' else 'have' end
  ) as message,
  E'-- aisec: no-transaction\n' || missing.statements as fix
from pg_catalog.pg_index as index
join pg_catalog.pg_class as index_class on index_class.oid = index.indexrelid
join pg_catalog.pg_class as class on class.oid = index.indrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
  select
    pg_catalog.count(*) as count,
    pg_catalog.string_agg(
      pg_catalog.format(
        'create %sindex concurrently %I on %s %s;',
        case when index.indisunique then 'unique ' else '' end,
        made.name,
        part_class.oid::regclass,
        pg_catalog.substring(pg_catalog.pg_get_indexdef(index.indexrelid), ' (USING .*)$')
      ),
      E'\n' order by part_class.relname
    )
    || E'\n'
    || pg_catalog.string_agg(
      pg_catalog.format(
        'alter index %s attach partition %I;',
        index.indexrelid::regclass,
        made.name
      ),
      E'\n' order by part_class.relname
    ) as statements
  from pg_catalog.pg_inherits as inheritance
  join pg_catalog.pg_class as part_class on part_class.oid = inheritance.inhrelid
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
    from (select part_class.relname || '_' || index_class.relname as name) as wanted
  ) as made
  where inheritance.inhparent = index.indrelid
    and not exists (
      select
      from pg_catalog.pg_inherits as attached
      join pg_catalog.pg_index as part_index on part_index.indexrelid = attached.inhrelid
      where attached.inhparent = index.indexrelid
        and part_index.indrelid = part_class.oid
    )
) as missing
where namespace.nspname = $1::text
  and index_class.relkind = 'I'
  and not index.indisvalid
  and missing.count > 0
order by 1
