-- Which relations, routines and types may texts with these words name? A superset: by its last part, and every name that is no
-- plain word. Routines and types of extensions are left out: a migration that creates one of those is none that anybody has.
-- Parameters: $1 words in lower case (text[])
-- Columns:    name
-- Needs:      nothing
with object as (
  select relname as name, relnamespace as namespace
  from pg_catalog.pg_class
  union
  select routine.proname, routine.pronamespace
  from pg_catalog.pg_proc as routine
  where not exists (
    select
    from pg_catalog.pg_depend as dependency
    where dependency.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and dependency.objid = routine.oid
      and dependency.deptype = 'e'
  )
  union
  select type.typname, type.typnamespace
  from pg_catalog.pg_type as type
  where type.typtype in ('d', 'e')
    and not exists (
      select
      from pg_catalog.pg_depend as dependency
      where dependency.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        and dependency.objid = type.oid
        and dependency.deptype = 'e'
    )
)
select distinct object.name::text as name
from object
join pg_catalog.pg_namespace as namespace on namespace.oid = object.namespace
where (
    pg_catalog.lower(object.name::text collate "C") = any ($1::text[])
    or object.name::text operator(pg_catalog.~) '[^A-Za-z0-9_$]'
  )
  and namespace.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
