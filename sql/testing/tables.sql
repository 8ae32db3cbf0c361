-- Which tables may hold rows of an application? Partitions instead of their roots; the history of the migrations stays.
-- Parameters: none
-- Columns:    name (quoted, with its schema), announces (boolean: what is deleted must be heard of by the cache), sequences
--             (text[], those of its columns, quoted)
-- Needs:      nothing
select
  pg_catalog.format('%I.%I', namespace.nspname, class.relname) as name,
  exists (
    select
    from pg_catalog.pg_trigger as trigger
    where trigger.tgrelid = class.oid
      and trigger.tgname = 'notify_cache_delete'
  ) as announces,
  array(
    select depend.objid::pg_catalog.regclass::text
    from pg_catalog.pg_depend as depend
    join pg_catalog.pg_class as sequence on sequence.oid = depend.objid
    where depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and depend.refobjid = class.oid
      and depend.deptype in ('a', 'i')
      and sequence.relkind = 'S'
    order by 1
  ) as sequences
from pg_catalog.pg_class as class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where class.relkind = 'r'
  and namespace.nspname !~ '^pg_'
  and namespace.nspname <> 'information_schema'
  and class.relname !~ '^(pgmigrations|aisec_migrations)(_[a-z0-9_]+)?$|^aisec_migration_repairs$'
  and not exists (
    select
    from pg_catalog.pg_depend as member
    where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and member.objid = class.oid
      and member.deptype = 'e'
  )
order by 1
