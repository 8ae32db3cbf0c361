-- The tables, sequences, indexes and statistics of a schema, tables first.
-- Parameters: $1 the schema.
-- Columns: oid, kind (`table`, `sequence`, `index`, `statistics`), name, has_row_security, is_owned (a sequence that
-- moves with its table).
-- Role: any.
select
  pg_class.oid::text as oid,
  case relkind
    when 'S' then 'sequence'
    when 'i' then 'index'
    when 'I' then 'index'
    else 'table'
  end as kind,
  relname::text as name,
  relrowsecurity as has_row_security,
  relkind = 'S'
  and exists (
    select
    from pg_catalog.pg_depend
    where classid = 'pg_catalog.pg_class'::regclass
      and objid = pg_class.oid
      and deptype in ('a', 'i')
      and refobjsubid > 0
  ) as is_owned
from pg_catalog.pg_class
where relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
  and relkind in ('r', 'p', 'f', 'S', 'i', 'I')
union all
select oid::text, 'statistics', stxname::text, false, false
from pg_catalog.pg_statistic_ext
where stxnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
order by kind desc, name
