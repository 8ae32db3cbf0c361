-- Which tables of the schema have no primary key, nor what can stand for one?
-- Parameters: $1 schema (text)
-- Columns:    name, publications (text[], that send its updates or deletes)
-- Needs:      nothing
-- What a run of partitions ensure has left has checks of its own.
-- Where all columns together are the replica identity, that was decided.
select
  class.relname::text as name,
  array(
    select publication.pubname::text
    from pg_catalog.pg_publication_tables as published
    join pg_catalog.pg_publication as publication on publication.pubname = published.pubname
    where published.schemaname = namespace.nspname
      and published.tablename = class.relname
      and (publication.pubupdate or publication.pubdelete)
    order by 1
  ) as publications
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and class.relkind in ('r', 'p')
  and not class.relispartition
  and class.relreplident <> 'f'
  and class.relname !~ '^messages_(y[0-9]{4}m[0-9]{2}_drain|default_drained_[0-9]{14})$'
  and not exists (
    select
    from pg_catalog.pg_index as index
    where index.indrelid = class.oid
      and index.indisunique
      and index.indisvalid
      and index.indpred is null
      and index.indexprs is null
      and not exists (
        select
        from pg_catalog.pg_attribute as attribute
        where attribute.attrelid = class.oid
          and attribute.attnum = any (index.indkey::int2[])
          and not attribute.attnotnull
      )
  )
  and not exists (
    select
    from pg_catalog.pg_depend as depend
    where depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and depend.objid = class.oid
      and depend.deptype = 'e'
  )
order by class.relname
