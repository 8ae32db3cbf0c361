-- Which objects of the schema with these names belong to a role that the owner of the history is not a member of?
-- Parameters: $1 schema (text), $2 names of tables, views, types and functions (text[]), $3 table of the history (text, as SQL takes it)
-- Columns:    kind (as ALTER takes it), identity (as SQL takes it, with its schema), owner, wanted (the owner of the history)
-- Needs:      nothing
-- Partitions of the tables count; sequences and indexes belong to whom their tables belong to.
with history as (
  select
    class.relowner as oid,
    class.relowner::regrole::text as wanted
  from pg_catalog.pg_class as class
  where class.oid = pg_catalog.to_regclass($3)
),
objects as (
  select
    case class.relkind
      when 'v' then 'view'
      when 'm' then 'materialized view'
      else 'table'
    end as kind,
    pg_catalog.format('%I.%I', $1::text, class.relname) as identity,
    class.relowner as owner
  from pg_catalog.pg_class as class
  left join pg_catalog.pg_class as root on root.oid = pg_catalog.pg_partition_root(class.oid)
  where class.relnamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident($1))
    and class.relkind in ('r', 'p', 'v', 'm')
    and coalesce(root.relname, class.relname)::text = any ($2::text[])
  union all
  select
    case proc.prokind
      when 'p' then 'procedure'
      when 'a' then 'aggregate'
      else 'function'
    end,
    pg_catalog.format(
      '%I.%I(%s)',
      $1::text,
      proc.proname,
      pg_catalog.pg_get_function_identity_arguments(proc.oid)
    ),
    proc.proowner
  from pg_catalog.pg_proc as proc
  where proc.pronamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident($1))
    and proc.proname::text = any ($2::text[])
    and not exists (
      select
      from pg_catalog.pg_depend as depend
      where depend.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and depend.objid = proc.oid
        and depend.deptype = 'e'
    )
  union all
  select
    'type',
    pg_catalog.format('%I.%I', $1::text, type.typname),
    type.typowner
  from pg_catalog.pg_type as type
  where type.typnamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident($1))
    and type.typtype in ('e', 'd')
    and type.typname::text = any ($2::text[])
)
select
  objects.kind,
  objects.identity,
  objects.owner::regrole::text as owner,
  history.wanted
from objects
cross join history
where objects.owner <> history.oid
  and not pg_catalog.pg_has_role(history.oid, objects.owner, 'usage')
order by 3, 1, 2
